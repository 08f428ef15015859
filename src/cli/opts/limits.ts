import type { RestartPolicy, Ulimit } from '#api'
import { parseRamBytes, ULIMIT_NAMES } from '#lib'

const NANO_PER_CPU = 1_000_000_000n

/** `name=soft[:hard]`; -1 is unlimited. */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf('=')
  if (equals < 0) throw new Error(`invalid ulimit argument: ${text}`)
  const name = text.slice(0, equals)
  const values = text.slice(equals + 1)
  if (!ULIMIT_NAMES.has(name)) throw new Error(`invalid ulimit type: ${name}`)
  const parts = values.split(':')
  if (parts.length > 2) throw new Error(`too many limit value arguments - ${values}, can only have up to two, \`soft[:hard]\``)
  const hardText = parts[1] ?? parts[0] ?? ''
  const hard = ulimitValue(hardText)
  const soft = ulimitValue(parts[0] ?? '')
  if (hard !== -1 && soft === -1) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`)
  }
  if (hard !== -1 && soft > hard) throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  return { Name: name, Soft: soft, Hard: hard }
}

function ulimitValue(text: string): number {
  if (text === 'infinity') return -1
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** `--cpus`: a decimal or a fraction, as nano-CPUs. */
export function parseCpus(text: string): number {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$|^([+-]?)\.(\d+)$|^([+-]?)(\d+)\/(\d+)$/.exec(text)
  if (match === null) throw new Error(`failed to parse ${text} as a rational number`)
  if (match[7] !== undefined && match[8] !== undefined) {
    const divisor = BigInt(match[8])
    if (divisor === 0n) throw new Error(`failed to parse ${text} as a rational number`)
    const nano = BigInt(match[7]) * NANO_PER_CPU
    if (nano % divisor !== 0n) throw new Error('value is too precise')
    return Number(nano / divisor) * (match[6] === '-' ? -1 : 1)
  }
  const fraction = (match[3] ?? match[5] ?? '').replace(/0+$/, '')
  if (fraction.length > 9) throw new Error('value is too precise')
  const nano = BigInt(match[2] ?? '0') * NANO_PER_CPU + BigInt(fraction.padEnd(9, '0'))
  return Number(nano) * ((match[1] ?? match[4]) === '-' ? -1 : 1)
}

/** `--memory-swap`: bytes, or -1 for no limit. */
export function parseMemorySwap(text: string): number {
  return text === '-1' ? -1 : parseRamBytes(text)
}

/** `no`, `always`, `unless-stopped`, `on-failure[:count]`; the daemon judges the name. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  const count = colon < 0 ? '' : text.slice(colon + 1)
  if (colon >= 0 && name === '') throw new Error('invalid restart policy format: no policy provided before colon')
  if (count !== '' && !/^[+-]?\d+$/.test(count)) {
    throw new Error('invalid restart policy format: maximum retry count must be an integer')
  }
  return { Name: name, MaximumRetryCount: count === '' ? 0 : Number(count) }
}

/** Kernel parameters that have a namespace, and so may be set for a container. */
export function checkSysctl(text: string): string {
  const equals = text.indexOf('=')
  const name = equals < 0 ? '' : text.slice(0, equals)
  const allowed =
    /^(?:net\.|fs\.mqueue\.)/.test(name) || /^kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$/.test(name)
  if (!allowed) throw new Error(`sysctl '${text}' is not allowed`)
  return text
}
