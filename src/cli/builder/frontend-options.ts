import { formatPlatform, hostPlatform } from '#oci'
import { toMap } from '../opts/key-values.ts'
import type { BuildValues } from './build-flags.ts'
import { parseFields } from './key-value-option.ts'

/** Flags as options of the Dockerfile frontend. `args`: `KEY=value`, with the values of the environment and the proxies of the configuration. */
export function frontendOptions(flags: BuildValues, args: readonly string[]): Record<string, string> {
  // `local` is this machine's, as with buildx.
  const platforms = flags.platform
    .filter((platform) => platform !== '')
    .map((platform) => (platform === 'local' ? formatPlatform(hostPlatform()) : platform))
  return {
    ...given('target', flags.target),
    ...prefixed('build-arg:', toMap(args)),
    ...prefixed('label:', toMap(flags.label)),
    ...given('platform', platforms.join(',')),
    ...(flags['no-cache'] ? { 'no-cache': '' } : given('no-cache', flags['no-cache-filter'].join(','))),
    ...(flags.pull && { 'image-resolve-mode': 'pull' }),
    ...(flags.network === '' || flags.network === 'default' ? {} : { 'force-network-mode': flags.network }),
    ...given('add-hosts', flags['add-host'].map((host) => host.replace(':', '=')).join(',')),
    ...given('cgroup-parent', flags['cgroup-parent']),
    ...given('ulimit', flags.ulimit.join(',')),
    ...limits(flags),
    ...attestations(flags),
  }
}

const NUMBERS = ['memory', 'memory-swap', 'cpu-period', 'cpu-quota', 'cpu-shares', 'shm-size'] as const

function limits(flags: BuildValues): Record<string, string> {
  const numbers = NUMBERS.flatMap((name) => (flags[name] === 0 ? [] : [[name, String(flags[name])]]))
  return { ...Object.fromEntries(numbers), ...given('cpuset-cpus', flags['cpuset-cpus']), ...given('cpuset-mems', flags['cpuset-mems']) }
}

/** `--attest type=provenance,mode=max`, and the two short forms; `false` takes one away. */
function attestations(flags: BuildValues): Record<string, string> {
  const options: Record<string, string> = {}
  for (const text of flags.attest) {
    const { type = '', ...attributes } = Object.fromEntries(parseFields(text))
    if (type === '') throw new Error('attestation type not specified')
    if (attributes['disabled'] === 'true') continue
    options[`attest:${type}`] = Object.entries(attributes)
      .filter(([key]) => key !== 'disabled')
      .map((pair) => pair.join('='))
      .join(',')
  }
  for (const type of ['provenance', 'sbom'] as const) {
    const value = flags[type]
    if (value === '') continue
    if (value === 'false') delete options[`attest:${type}`]
    else options[`attest:${type}`] = value === 'true' ? '' : value
  }
  return options
}

function given(name: string, value: string): Record<string, string> {
  return value === '' ? {} : { [name]: value }
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]))
}
