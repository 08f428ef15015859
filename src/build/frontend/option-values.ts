import { isIP } from 'node:net'
import { verifyResources } from '#containers'
import { invalidArgument } from '#errors'
import { parseGoBoolean, parseRamBytes, splitCsvLine } from '#lib'
import { parsePlatform } from '#oci'
import type { Platform } from '#oci'
import type { ExecOp, StepLimits } from '../graph/types.ts'

/** Readers of single options. All throw INVALID_ARGUMENT with BuildKit's words. Source: moby/buildkit frontend/dockerui/attr.go. */

type Options = Readonly<Record<string, string>>

export function parsePlatforms(text: string, host: Platform): Platform[] {
  if (text === '') return []
  return text.split(',').map((name) => {
    try {
      return parsePlatform(name, host)
    } catch (error) {
      throw invalidArgument(`failed to parse target platform ${name}: ${(error as Error).message}`, error)
    }
  })
}

/** The members of one line of comma-separated values; `"a,b"` is one of them. */
function csvFields(line: string, what: string): string[] {
  try {
    return line === '' ? [] : splitCsvLine(line)
  } catch (error) {
    throw invalidArgument(`failed to parse ${what}: ${(error as Error).message}`, error)
  }
}

/** What is known only where the step runs: the daemon's setting, else the default bridge's address, as for containers. */
const HOST_GATEWAY = 'host-gateway'

/** `host=address,…`; the address may be `host-gateway`, which BuildKit leaves to clients. */
export function parseExtraHosts(text: string): ExecOp['extraHosts'] {
  return csvFields(text, 'additional hosts').map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 0) throw invalidArgument(`failed to parse additional hosts: invalid key-value pair ${pair}`)
    const address = pair.slice(equals + 1).toLowerCase()
    if (address !== HOST_GATEWAY && isIP(address) === 0)
      throw invalidArgument(`failed to parse additional hosts: failed to parse IP ${address}`)
    return { host: pair.slice(0, equals).toLowerCase(), address }
  })
}

/** `nofile=1024:2048,…`; the hard limit is the soft one unless given. */
export function parseUlimits(text: string): ExecOp['ulimits'] {
  return csvFields(text, 'ulimit').map((field) => {
    const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(field)
    if (match === null) throw invalidArgument(`failed to parse ulimit: invalid ulimit argument: ${field}`)
    const [, name = '', soft, hard = soft] = match
    const limit = { name, soft: Number(soft), hard: Number(hard) }
    if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
      throw invalidArgument(
        `failed to parse ulimit: ulimit soft limit must be less than or equal to hard limit: ${limit.soft} > ${limit.hard}`,
      )
    }
    return limit
  })
}

/** Any other name than BuildKit's is that of a user-defined network. */
export function parseNetwork(text: string): ExecOp['network'] {
  if (text === '' || text === 'default' || text === 'sandbox') return 'default'
  if (text === 'none' || text === 'host') return text
  if (text.startsWith('container:')) throw invalidArgument(`invalid netmode ${text}`)
  return { name: text }
}

export function parseResolveMode(text: string): 'local' | 'pull' {
  if (text === 'pull') return 'pull'
  if (text === '' || text === 'default' || text === 'local') return 'local'
  throw invalidArgument(`invalid image-resolve-mode: ${text}`)
}

export function parseBoolean(text: string, what: string): boolean {
  try {
    return parseGoBoolean(text)
  } catch (error) {
    throw invalidArgument(`invalid boolean value for ${what}: ${text}`, error)
  }
}

export function parseLimits(options: Options): StepLimits {
  const limits: StepLimits = {
    memory: bytes(options, 'memory'),
    memorySwap: options['memory-swap'] === '-1' ? -1 : bytes(options, 'memory-swap'),
    cpuShares: natural(options, 'cpu-shares'),
    cpuPeriod: natural(options, 'cpu-period'),
    cpuQuota: options['cpu-quota'] === '-1' ? -1 : natural(options, 'cpu-quota'),
    cpusetCpus: options['cpuset-cpus'] ?? '',
    cpusetMems: options['cpuset-mems'] ?? '',
    shmSize: bytes(options, 'shm-size'),
  }
  verifyResources({ ...limits, memoryReservation: 0, nanoCpus: 0, blkioWeight: 0 }, 0)
  return limits
}

function bytes(options: Options, name: string): number {
  const text = options[name] ?? ''
  if (text === '') return 0
  try {
    return parseRamBytes(text)
  } catch (error) {
    throw invalidArgument(`failed to parse ${name}: ${(error as Error).message}`, error)
  }
}

function natural(options: Options, name: string): number {
  const text = options[name] ?? ''
  if (!/^\d{0,15}$/.test(text)) throw invalidArgument(`failed to parse ${name}: invalid value ${JSON.stringify(text)}`)
  return Number(text)
}
