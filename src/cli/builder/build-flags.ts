import { parseRamBytes } from '#lib'
import { checkExtraHost } from '../opts/addresses.ts'
import { checkLabel } from '../opts/key-values.ts'
import { parseMemorySwap, parseUlimit } from '../opts/limits.ts'
import { bool, custom, int, list, string, strings, type Flag } from '../parser/flag.ts'

/** `auto`: a live display on terminals, lines elsewhere. */
const PROGRESS = ['auto', 'none', 'plain', 'quiet', 'rawjson', 'tty'] as const

/** Returns the mode. Throws Error for an unknown one. */
export function checkProgressMode(text: string): string {
  if (!(PROGRESS as readonly string[]).includes(text)) throw new Error(`invalid progress mode: ${text}`)
  return text
}

const bytes = (help: string, options: { short?: string } = {}): Flag<number> =>
  custom('bytes', 0, (_, text) => parseRamBytes(text), help, options)

/** Values of the flags. Bytes and microseconds are numbers, 0 where nothing was given. */
export interface BuildValues {
  'add-host': string[]
  allow: string[]
  annotation: string[]
  attest: string[]
  'build-arg': string[]
  'build-context': string[]
  'cache-from': string[]
  'cache-to': string[]
  call: string
  'cgroup-parent': string
  check: boolean
  compress: boolean
  'cpu-period': number
  'cpu-quota': number
  'cpu-shares': number
  'cpuset-cpus': string
  'cpuset-mems': string
  debug: boolean
  file: string
  'force-rm': boolean
  iidfile: string
  isolation: string
  label: string[]
  load: boolean
  memory: number
  'memory-swap': number
  'metadata-file': string
  network: string
  'no-cache': boolean
  'no-cache-filter': string[]
  output: string[]
  platform: string[]
  progress: string
  provenance: string
  pull: boolean
  push: boolean
  quiet: boolean
  rm: boolean
  sbom: string
  secret: string[]
  'security-opt': string[]
  'shm-size': number
  squash: boolean
  ssh: string[]
  tag: string[]
  target: string
  ulimit: string[]
}

/** Flags of `build`, with the names and words of buildx; `debug` and the limits of steps are ours. Hidden ones are the classic builder's: scripts have them. */
export const BUILD_FLAGS: { [Name in keyof BuildValues]: Flag<BuildValues[Name]> } = {
  'add-host': list('Add a custom host-to-IP mapping (format: "host:ip")', { check: checkExtraHost }),
  allow: list('Allow extra privileged entitlement (e.g., "network.host", "security.insecure", "device")'),
  annotation: list('Add annotation to the image'),
  attest: list('Attestation parameters (format: "type=sbom,generator=image")'),
  'build-arg': list('Set build-time variables'),
  'build-context': list('Additional build contexts (e.g., name=path)'),
  'cache-from': list('External cache sources (e.g., "user/app:cache", "type=local,src=path/to/dir")'),
  'cache-to': list('Cache export destinations (e.g., "user/app:cache", "type=local,dest=path/to/dir")'),
  call: string('Set method for evaluating build ("check", "outline", "targets")', { initial: 'build' }),
  'cgroup-parent': string('Set the parent cgroup for the "RUN" instructions during build'),
  check: bool('Shorthand for "--call=check"'),
  compress: bool('Compress the build context using gzip', { hidden: true }),
  'cpu-period': int('Limit the CPU CFS (Completely Fair Scheduler) period of each step'),
  'cpu-quota': int('Limit the CPU CFS (Completely Fair Scheduler) quota of each step'),
  'cpu-shares': int('CPU shares (relative weight) of each step', { short: 'c' }),
  'cpuset-cpus': string('CPUs in which to allow execution of steps (0-3, 0,1)'),
  'cpuset-mems': string('MEMs in which to allow execution of steps (0-3, 0,1)'),
  debug: bool('Open a shell in the state just before a step that fails', { short: 'D' }),
  file: string('Name of the Dockerfile (default: "PATH/Dockerfile")', { short: 'f' }),
  'force-rm': bool('Always remove intermediate containers', { hidden: true }),
  iidfile: string('Write the image ID to a file'),
  isolation: string('Container isolation technology', { hidden: true }),
  label: list('Set metadata for an image', { check: checkLabel }),
  load: bool('Shorthand for "--output=type=docker"'),
  memory: bytes('Memory limit of each step', { short: 'm' }),
  'memory-swap': custom(
    'bytes',
    0,
    (_: number, text) => parseMemorySwap(text),
    'Swap limit of each step equal to memory plus swap: -1 to enable unlimited swap',
  ),
  'metadata-file': string('Write build result metadata to a file'),
  network: string('Set the networking mode for the "RUN" instructions during build', { initial: 'default' }),
  'no-cache': bool('Do not use cache when building the image'),
  'no-cache-filter': list('Do not cache specified stages'),
  output: list('Output destination (format: "type=local,dest=path")', { short: 'o' }),
  platform: strings('Set target platform for build'),
  progress: custom<string>(
    'string',
    '',
    (_, text) => checkProgressMode(text),
    `Set type of progress output (${PROGRESS.map((mode) => `"${mode}"`).join(', ')}). Use plain to show container output`,
    { defaultText: 'auto' },
  ),
  provenance: string('Shorthand for "--attest=type=provenance"'),
  pull: bool('Always attempt to pull all referenced images'),
  push: bool('Shorthand for "--output=type=registry"'),
  quiet: bool('Suppress the build output and print image ID on success', { short: 'q' }),
  rm: bool('Remove intermediate containers after a successful build', { initial: true, hidden: true }),
  sbom: string('Shorthand for "--attest=type=sbom"'),
  secret: list('Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")'),
  'security-opt': list('Security options', { hidden: true }),
  'shm-size': bytes('Shared memory size for build containers'),
  squash: bool('Squash newly built layers into a single new layer', { hidden: true }),
  ssh: list('SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")'),
  tag: list('Image identifier (format: "[registry/]repository[:tag]")', { short: 't' }),
  target: string('Set the target build stage to build'),
  ulimit: list('Ulimit options', {
    check(text) {
      const { Name, Soft, Hard } = parseUlimit(text)
      return `${Name}=${Soft}:${Hard}`
    },
  }),
}
