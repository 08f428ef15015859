/**
 * What an image was made of and how, as SLSA says it. Source: slsa.dev/provenance v0.2 and v1; moby/buildkit docs/attestations/slsa-definitions.md for the
 * names inside.
 */

import { formatPlatform, hostPlatform } from '#oci'
import type { Platform } from '#oci'
import type { Vertex } from '../../graph/types.ts'
import type { Material, ProvenanceFacts } from '../../types.ts'
import { timeText } from '../epoch.ts'
import type { Statement } from './attestation-manifest.ts'
import { describeGraph } from './describe-graph.ts'
import type { ProvenanceOptions } from './provenance-options.ts'
import { withoutLogin } from '../../sources/without-login.ts'

const BUILD_TYPE = {
  'v0.2': 'https://mobyproject.org/buildkit@v1',
  v1: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
} as const

/** Options that tell of the machine and not of the build. Source: moby/buildkit solver/llbsolver/provenance/capture.go. */
const HOST_OPTIONS: ReadonlySet<string> = new Set(['cgroup-parent', 'image-resolve-mode', 'platform', 'cache-imports', 'frontend.caps'])
/** Not written down, as BuildKit: they may hold passwords. */
const PROXY = /^build-arg:(?:https?|ftp|no|all)_proxy$/i

export function provenanceOf(
  facts: ProvenanceFacts,
  platform: Platform,
  options: ProvenanceOptions,
  { builderId, finishedAt }: { builderId: string; finishedAt: number },
): Statement {
  const parts = partsOf(facts, options)
  const id = options.builderId ?? builderId
  const times = { started: timeText(Math.floor(facts.startedAt)), finished: timeText(Math.floor(finishedAt)) }
  const common = { facts, platform, options, parts, id, times }
  return options.version === 'v1'
    ? { predicateType: 'https://slsa.dev/provenance/v1', predicate: versionOne(common) }
    : { predicateType: 'https://slsa.dev/provenance/v0.2', predicate: versionZero(common) }
}

interface Parts {
  args: Record<string, string>
  locals: { name: string }[]
  secrets: { id: string; optional?: true }[]
  ssh: { id: string; optional?: true }[]
  isComplete: boolean
  isHermetic: boolean
  /** The graph; of `mode=max` alone. */
  buildConfig: object | undefined
  materials: readonly Material[]
  metadata: object
  configSource: { entryPoint: string }
}

interface Common {
  facts: ProvenanceFacts
  platform: Platform
  options: ProvenanceOptions
  parts: Parts
  id: string
  times: { started: string; finished: string }
}

function versionZero({ facts, options, parts, id, times }: Common): object {
  return {
    builder: { id },
    buildType: BUILD_TYPE['v0.2'],
    materials: parts.materials,
    invocation: {
      configSource: parts.configSource,
      parameters: parameters(facts, parts),
      environment: { platform: formatPlatform(hostPlatform()) },
    },
    ...(parts.buildConfig === undefined ? {} : { buildConfig: parts.buildConfig }),
    metadata: {
      buildInvocationID: facts.buildId,
      buildStartedOn: times.started,
      buildFinishedOn: times.finished,
      completeness: { parameters: parts.isComplete, environment: true, materials: parts.isHermetic },
      reproducible: options.reproducible,
      'https://mobyproject.org/buildkit@v1#hermetic': parts.isHermetic,
      'https://mobyproject.org/buildkit@v1#metadata': parts.metadata,
    },
  }
}

function versionOne({ facts, options, parts, id, times }: Common): object {
  return {
    buildDefinition: {
      buildType: BUILD_TYPE.v1,
      externalParameters: { configSource: { path: parts.configSource.entryPoint }, request: parameters(facts, parts) },
      internalParameters: {
        ...(parts.buildConfig === undefined ? {} : { buildConfig: parts.buildConfig }),
        builderPlatform: formatPlatform(hostPlatform()),
      },
      resolvedDependencies: parts.materials,
    },
    runDetails: {
      builder: { id },
      metadata: {
        invocationId: facts.buildId,
        startedOn: times.started,
        finishedOn: times.finished,
        buildkit_metadata: parts.metadata,
        buildkit_hermetic: parts.isHermetic,
        buildkit_completeness: { request: parts.isComplete, resolvedDependencies: parts.isHermetic },
        buildkit_reproducible: options.reproducible,
      },
    },
  }
}

function parameters({ frontend }: ProvenanceFacts, { args, locals, secrets, ssh }: Parts): object {
  return {
    frontend,
    args,
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(ssh.length === 0 ? {} : { ssh }),
    locals,
  }
}

function partsOf(facts: ProvenanceFacts, { mode }: ProvenanceOptions): Parts {
  const given = Object.entries(facts.options).filter(
    ([name]) => !HOST_OPTIONS.has(name) && !PROXY.test(name) && !/^(?:attest|vcs):/.test(name),
  )
  const kept = mode === 'max' ? given : given.filter(([name]) => !/^(?:build-arg|label):/.test(name))
  const described = mode === 'max' ? describeGraph(facts.graph, facts.source) : undefined
  const vcs = Object.entries(facts.options).filter(([name]) => name.startsWith('vcs:'))
  return {
    args: publishable(kept),
    locals: namesOf(facts.graph.flatMap(({ op }) => (op.kind === 'local' ? op.name : []))).map((name) => ({ name })),
    secrets: mode === 'max' ? uniqueById(facts.graph.flatMap(secretsOf)) : [],
    ssh: mode === 'max' ? uniqueById(facts.graph.flatMap(sshOf)) : [],
    isComplete: kept.length === given.length,
    isHermetic: !facts.graph.some(({ op }) => op.kind === 'local' || (op.kind === 'exec' && op.network !== 'none')),
    buildConfig: described?.buildConfig,
    materials: facts.materials.map((material) => ({ ...material, uri: withoutLogin(material.uri) })),
    metadata: {
      ...(vcs.length === 0 ? {} : { vcs: publishable(vcs.map(([name, value]) => [name.slice('vcs:'.length), value])) }),
      ...(described === undefined ? {} : { source: described.source }),
    },
    configSource: { entryPoint: facts.options['filename'] ?? facts.source?.name ?? 'Dockerfile' },
  }
}

/** Sorted. Contexts and repositories are given as addresses, which may hold passwords. */
function publishable(options: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(options.map(([name, value]) => [name, withoutLogin(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function secretsOf({ op }: Vertex): { id: string; optional?: true }[] {
  if (op.kind !== 'exec') return []
  const mounted = op.mounts.flatMap((mount) => (mount.type === 'secret' ? [mount] : []))
  return [...mounted, ...op.secretEnv].map(idOf)
}

function sshOf({ op }: Vertex): { id: string; optional?: true }[] {
  return op.kind === 'exec' ? op.mounts.flatMap((mount) => (mount.type === 'ssh' ? [idOf(mount)] : [])) : []
}

function idOf({ id, optional }: { id: string; optional: boolean }): { id: string; optional?: true } {
  return optional ? { id, optional } : { id }
}

function uniqueById<T extends { id: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function namesOf(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}
