import { EngineError, invalidArgument, notImplemented } from '#errors'
import type { Platform } from '#oci'
import type { ExecOp, StepLimits } from '../graph/types.ts'
import {
  parseBoolean,
  parseExtraHosts,
  parseLimits,
  parseNetwork,
  parsePlatforms,
  parseResolveMode,
  parseUlimits,
} from './option-values.ts'
import { parseScanner } from './scanner.ts'
import type { ScannerOptions } from './scanner.ts'

/** What a client may say about a build, decoded. Names are BuildKit's but for `gantry.history`. Source: moby/buildkit frontend/dockerui/config.go. */
export interface FrontendOptions {
  /** As they came, for those that are looked up by a name that is part of the key. */
  readonly all: Readonly<Record<string, string>>
  /** Path of the Dockerfile. */
  readonly filename: string
  /** Empty: the last stage. */
  readonly target: string
  readonly buildArgs: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  /** Empty: the host's. */
  readonly platforms: readonly Platform[]
  readonly multiPlatform: boolean
  readonly resolveMode: 'local' | 'pull'
  readonly run: RunOptions
  /** Steps that run although they are in the cache: all, or those of stages by name. */
  readonly noCache: 'all' | ReadonlySet<string>
  /** In front of cache mounts' ids. */
  readonly cacheNamespace: string
  /** Instead of the Dockerfile's `# check`. */
  readonly check: string | undefined
  /** A question about the Dockerfile instead of a build: `frontend.lint` … */
  readonly request: string | undefined
  /** Wanted over what is built. */
  readonly scanner: ScannerOptions | undefined
  /** How steps are told in an image's history. */
  readonly history: HistoryStyle
}

/** `classic`: as dockerd's own builder wrote it. */
export type HistoryStyle = 'buildkit' | 'classic'

/** What all RUN steps have. */
export interface RunOptions {
  readonly network: ExecOp['network']
  readonly extraHosts: ExecOp['extraHosts']
  readonly ulimits: ExecOp['ulimits']
  readonly cgroupParent: string
  readonly hostname: string
  readonly limits: StepLimits
  readonly proxyEnv: readonly string[]
}

const FRONTEND_CAPABILITIES: ReadonlySet<string> = new Set([
  'moby.buildkit.frontend.inputs',
  'moby.buildkit.frontend.subrequests',
  'moby.buildkit.frontend.contexts',
  'moby.buildkit.frontend.gitquerystring',
  'moby.buildkit.frontend.gitfetchbycommit',
])

/** Throws INVALID_ARGUMENT naming what is wrong. */
export function decodeOptions(options: Readonly<Record<string, string>>, host: Platform): FrontendOptions {
  const buildArgs = prefixed(options, 'build-arg:')
  const platforms = parsePlatforms(options['platform'] ?? '', host)
  return {
    all: options,
    filename: options['filename'] ?? 'Dockerfile',
    target: options['target'] ?? '',
    buildArgs,
    labels: prefixed(options, 'label:'),
    platforms,
    multiPlatform: isMultiPlatform(buildArgs.get('BUILDKIT_MULTI_PLATFORM') || options['multi-platform'] || '', platforms),
    resolveMode: parseResolveMode(options['image-resolve-mode'] ?? ''),
    run: {
      network: parseNetwork(options['force-network-mode'] ?? ''),
      extraHosts: parseExtraHosts(options['add-hosts'] ?? ''),
      ulimits: parseUlimits(options['ulimit'] ?? ''),
      cgroupParent: options['cgroup-parent'] ?? '',
      hostname: buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME') || options['hostname'] || '',
      limits: parseLimits(options),
      proxyEnv: proxyEnvironment(buildArgs),
    },
    noCache: options['no-cache'] === '' ? 'all' : new Set((options['no-cache'] ?? '').toLowerCase().split(',')),
    cacheNamespace: buildArgs.get('BUILDKIT_CACHE_MOUNT_NS') ?? '',
    check: buildArgs.get('BUILDKIT_DOCKERFILE_CHECK'),
    request: options['requestid'],
    scanner: parseScanner(options['attest:sbom'] ?? buildArgs.get('BUILDKIT_ATTEST_SBOM')),
    history: options['gantry.history'] === 'classic' ? 'classic' : 'buildkit',
  }
}

/** Of options `prefix` + name the names and values. */
function prefixed(options: Readonly<Record<string, string>>, prefix: string): Map<string, string> {
  const found = Object.entries(options).filter(([key]) => key.startsWith(prefix))
  return new Map(found.map(([key, value]) => [key.slice(prefix.length), value]))
}

function isMultiPlatform(text: string, platforms: readonly Platform[]): boolean {
  if (text === '') return platforms.length > 1
  const wanted = parseBoolean(text, 'multi-platform')
  if (!wanted && platforms.length > 1) throw invalidArgument('conflicting config: returning multiple target platforms is not allowed')
  return wanted
}

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'] as const

/** Both spellings of each, whichever was given. Source: moby/buildkit solver/llbsolver/ops/exec.go. */
function proxyEnvironment(buildArgs: ReadonlyMap<string, string>): string[] {
  return PROXIES.flatMap((name) => {
    const value = [...buildArgs].findLast(([key]) => key.toUpperCase() === name)?.[1] ?? ''
    return value === '' ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`]
  })
}

/** Throws NOT_IMPLEMENTED for what the client needs and this frontend has not. */
export function checkSupported({ all }: FrontendOptions): void {
  const list = all['frontend.caps'] ?? ''
  for (const entry of list === '' ? [] : list.split(',')) {
    const name = entry.split('+', 1)[0] ?? ''
    if (!FRONTEND_CAPABILITIES.has(name)) throw new EngineError('NOT_IMPLEMENTED', `unsupported frontend capability ${name}`)
  }
  const automount = Object.keys(all).find((key) => key.startsWith('automount:'))
  if (automount !== undefined) throw notImplemented(`${automount}: automatic mounts are not implemented in Gantry yet`)
}
