import { parseGoDuration } from '#lib'
import { parseDevice } from '../device.ts'
import { DockerfileError } from '../dockerfile-error.ts'
import { parseFlags } from '../flags.ts'
import { checkMount } from '../mount.ts'
import type { RawInstruction } from '../read-source.ts'
import type {
  CmdInstruction,
  CommandLine,
  EntrypointInstruction,
  HealthcheckInstruction,
  InstructionBase,
  RunInstruction,
  ShellInstruction,
} from './types.ts'
import { parseJsonList } from '../words/split-words.ts'

/** Shorter ones would keep the machine busy with nothing else. Source: moby api/types/container, MinimumDuration. */
const MINIMUM_DURATION = 1_000_000

/** A user-defined network has any name but Docker's own: that is not for builds. Source of the pattern: moby daemon/names. */
const NETWORK = /^(?!bridge$)[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const SECURITY: readonly string[] = ['sandbox', 'insecure'] satisfies RunInstruction['security'][]

export function parseRun(raw: RawInstruction, base: InstructionBase): RunInstruction {
  const flags = parseFlags(raw.flags, { mount: 'texts', network: 'text', security: 'text', device: 'texts' })
  const { network = 'default', security = 'sandbox' } = flags
  if (!NETWORK.test(network)) throw new DockerfileError(`invalid network mode ${JSON.stringify(network)}`)
  if (!SECURITY.includes(security)) throw new DockerfileError(`security ${JSON.stringify(security)} is not valid`)
  flags.mount.forEach(checkMount)
  flags.device.forEach(parseDevice)
  return {
    ...base,
    kind: 'run',
    mounts: flags.mount,
    network,
    security: security as RunInstruction['security'],
    devices: flags.device,
    command: commandLine(raw.rest, raw),
  }
}

export function parseCmd(raw: RawInstruction, base: InstructionBase): CmdInstruction {
  parseFlags(raw.flags, {})
  return { ...base, kind: 'cmd', command: commandLine(raw.rest, raw) }
}

export function parseEntrypoint(raw: RawInstruction, base: InstructionBase): EntrypointInstruction {
  parseFlags(raw.flags, {})
  return { ...base, kind: 'entrypoint', command: commandLine(raw.rest, raw) }
}

/** JSON only. */
export function parseShell(raw: RawInstruction, base: InstructionBase): ShellInstruction {
  parseFlags(raw.flags, {})
  const { form, args } = commandLine(raw.rest, raw)
  if (args.length === 0) throw new DockerfileError('SHELL requires at least one argument')
  if (form === 'shell') throw new DockerfileError('SHELL requires the arguments to be in JSON form')
  return { ...base, kind: 'shell', shell: args }
}

/** `HEALTHCHECK NONE`, `HEALTHCHECK [flags] CMD command`. */
export function parseHealthcheck(raw: RawInstruction, base: InstructionBase): HealthcheckInstruction {
  const [, word = '', command = ''] = /^(\S*)\s*(.*)$/s.exec(raw.rest) ?? []
  if (word === '') throw new DockerfileError('HEALTHCHECK requires at least one argument')
  const flags = parseFlags(raw.flags, {
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  })
  return {
    ...base,
    kind: 'healthcheck',
    test: healthTest(word.toUpperCase(), command, raw),
    interval: duration('interval', flags.interval),
    timeout: duration('timeout', flags.timeout),
    startPeriod: duration('start-period', flags['start-period']),
    startInterval: duration('start-interval', flags['start-interval']),
    retries: count(flags.retries),
  }
}

function healthTest(type: string, command: string, raw: RawInstruction): string[] {
  const { form, args } = commandLine(command, raw)
  if (type === 'NONE') {
    if (args.length > 0) throw new DockerfileError('HEALTHCHECK NONE takes no arguments')
    return ['NONE']
  }
  if (type !== 'CMD') throw new DockerfileError(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`)
  if (args.length === 0) throw new DockerfileError('Missing command after HEALTHCHECK CMD')
  return [form === 'exec' ? 'CMD' : 'CMD-SHELL', ...args]
}

function commandLine(text: string, raw: RawInstruction): CommandLine {
  const list = parseJsonList(text)
  if (list !== undefined) return { form: 'exec', args: list, heredocs: [] }
  return { form: 'shell', args: text === '' ? [] : [text], heredocs: raw.heredocs }
}

/** Nanoseconds; 0 counts as not said. */
function duration(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  let nanoseconds: number
  try {
    nanoseconds = parseGoDuration(value)
  } catch (error) {
    throw new DockerfileError((error as Error).message, undefined, { cause: error })
  }
  if (nanoseconds === 0) return undefined
  if (nanoseconds < MINIMUM_DURATION) throw new DockerfileError(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`)
  return nanoseconds
}

function count(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^[+-]?\d+$/.test(value)) throw new DockerfileError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  const retries = Number(value)
  if (retries < 0) throw new DockerfileError(`--retries cannot be negative (${retries})`)
  if (retries > 0x7f_ff_ff_ff) throw new DockerfileError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`)
  return retries === 0 ? undefined : retries
}
