/**
 * What an image was made of and how, as SLSA says it. Source: slsa.dev/provenance v0.2 and v1; moby/buildkit docs/attestations/slsa-definitions.md for the
 * names inside.
 */

import { withoutLogin } from '#lib'
import { formatPlatform, hostPlatform } from '#oci'
import type { Descriptor, Digest, Platform } from '#oci'
import type { Vertex } from '../../graph/types.ts'
import type { ProvenanceFacts } from '../../provenance-facts.ts'
import type { Material } from '../../types.ts'
import { timeText } from '../epoch.ts'
import type { Statement } from './attestation-manifest.ts'
import { describeGraph } from './describe-graph.ts'
import type { DescribedGraph } from './describe-graph.ts'
import type { ProvenanceOptions } from './provenance-options.ts'

const BUILD_TYPE = {
  'v0.2': 'https://mobyproject.org/buildkit@v1',
  v1: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
} as const

/** Options that tell of the machine and not of the build. Source: moby/buildkit solver/llbsolver/provenance/capture.go. */
const HOST_OPTIONS: ReadonlySet<string> = new Set(['cgroup-parent', 'image-resolve-mode', 'platform', 'cache-imports', 'frontend.caps'])
/** Not written down, as BuildKit: they may hold passwords. */
const PROXY = /^build-arg:(?:https?|ftp|no|all)_proxy$/i

export function provenanceOf(
  build: ProvenanceFacts,
  platform: Platform,
  options: ProvenanceOptions,
  { builderId, finishedAt, layers = [] }: { builderId: string; finishedAt: number; layers?: readonly StepLayers[] },
): Statement {
  const facts = { ...build, ...build.platforms?.get(formatPlatform(platform)) }
  const parts = partsOf(facts, layers, options)
  const id = options.builderId ?? builderId
  const times = { started: timeText(Math.floor(facts.startedAt)), finished: timeText(Math.floor(finishedAt)) }
  const common = { facts, platform, options, parts, id, times }
  return options.version === 'v1'
    ? { predicateType: 'https://slsa.dev/provenance/v1', predicate: versionOne(common) }
    : { predicateType: 'https://slsa.dev/provenance/v0.2', predicate: versionZero(common) }
}

/** What a step's result consists of, lowest first. */
export interface StepLayers {
  vertex: Digest
  output: number
  layers: readonly Descriptor[]
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
  /** Where the definition of the build comes from: the context's address, if it is not a directory of the client, and the Dockerfile's path in it. */
  config: { place: Partial<Material>; entryPoint: string }
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
      configSource: { ...parts.config.place, entryPoint: parts.config.entryPoint },
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
      externalParameters: { configSource: { ...parts.config.place, path: parts.config.entryPoint }, request: parameters(facts, parts) },
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

function partsOf(facts: ProvenanceFacts, layers: readonly StepLayers[], { mode }: ProvenanceOptions): Parts {
  const contextKey = facts.options['contextkey'] ?? 'context'
  const isTold = (name: string): boolean => !HOST_OPTIONS.has(name) && !PROXY.test(name) && !/^(?:attest|vcs):/.test(name)
  const given = Object.entries(facts.options).filter(([name]) => isTold(name) && name !== contextKey && name !== 'filename')
  const kept = mode === 'max' ? given : given.filter(([name]) => !/^(?:build-arg|label):/.test(name))
  const described = mode === 'max' ? describeGraph(facts.graph, facts.source) : undefined
  const vcs = Object.entries(facts.options).filter(([name]) => name.startsWith('vcs:'))
  return {
    args: publishable(kept),
    locals: [...facts.directories].sort().map((name) => ({ name })),
    secrets: mode === 'max' ? uniqueById(facts.graph.flatMap(secretsOf)) : [],
    ssh: mode === 'max' ? uniqueById(facts.graph.flatMap(sshOf)) : [],
    isComplete: kept.length === given.length,
    isHermetic: facts.directories.size === 0 && !facts.graph.some(({ op }) => op.kind === 'exec' && op.network !== 'none'),
    buildConfig: described?.buildConfig,
    materials: materialsOf(facts),
    metadata: {
      ...(vcs.length === 0 ? {} : { vcs: publishable(vcs.map(([name, value]) => [name.slice('vcs:'.length), value])) }),
      ...(described === undefined ? {} : { source: described.source, ...layersByStep(layers, described) }),
    },
    config: {
      place: placeOf(facts.options[contextKey] ?? '', facts.materials),
      entryPoint: facts.options['filename'] ?? facts.source?.name ?? 'Dockerfile',
    },
  }
}

/** Images first, each kind by name: what order they were looked up in says nothing. */
function materialsOf({ materials }: ProvenanceFacts): Material[] {
  const order = ({ uri }: Material): string => `${uri.startsWith('pkg:') ? 0 : 1}${uri}`
  return materials.map((material) => ({ ...material, uri: withoutLogin(material.uri) })).sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** Where the layers of an image come from, as BuildKit says it: for each result of a step the ways to put it together, of which there is one. */
function layersByStep(steps: readonly StepLayers[], { buildConfig: { digestMapping } }: DescribedGraph): { layers?: object } {
  const known = steps.flatMap(({ vertex, output, layers }) => {
    const name = digestMapping[vertex]
    return name === undefined ? [] : [[`${name}:${output}`, [layers.map(plainDescriptor)]] as const]
  })
  return known.length === 0 ? {} : { layers: Object.fromEntries(known) }
}

function plainDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

function placeOf(context: string, materials: readonly Material[]): Partial<Material> {
  if (context === '') return {}
  const uri = withoutLogin(context)
  return { uri, ...materials.find((material) => material.uri === uri) }
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
