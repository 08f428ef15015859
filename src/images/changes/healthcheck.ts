import { invalidArgument } from '#errors'
import { parseGoDuration } from '#lib'
import type { ImageProcessConfig } from '#oci'

type Healthcheck = NonNullable<ImageProcessConfig['Healthcheck']>

const DURATIONS = { interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod', 'start-interval': 'StartInterval' } as const

/** Shorter ones would keep the machine busy with nothing else. Source: moby api/types/container, MinimumDuration. */
const MINIMUM_DURATION = 1_000_000

/** `NONE`, or `[--interval=30s …] CMD command`. `commandLine` reads the command (JSON or shell form). Throws INVALID_ARGUMENT. */
export function parseHealthcheck(argument: string, commandLine: (command: string) => string[]): Healthcheck {
  const flags: Healthcheck = {}
  let rest = argument
  for (let match = FLAG.exec(rest); match !== null; match = FLAG.exec(rest)) {
    setFlag(flags, match[1] ?? '', match[2] ?? '')
    rest = rest.slice(match[0].length)
  }
  const [, type = '', command = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? []
  if (type.toUpperCase() === 'NONE') {
    if (command !== '') throw invalidArgument('HEALTHCHECK NONE takes no arguments')
    return { Test: ['NONE'] }
  }
  if (type.toUpperCase() !== 'CMD') throw invalidArgument(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`)
  if (command === '') throw invalidArgument('Missing command after HEALTHCHECK CMD')
  const words = commandLine(command)
  // The shell form is kept as the one line it is: which shell runs it is decided when it runs.
  return { ...flags, Test: command.startsWith('[') && words.at(-1) !== command ? ['CMD', ...words] : ['CMD-SHELL', command] }
}

const FLAG = /^--([a-z-]+)=(\S+)\s+/

function setFlag(flags: Healthcheck, name: string, value: string): void {
  if (name === 'retries') {
    const retries = Number(value)
    if (!Number.isInteger(retries) || retries < 0) throw invalidArgument(`--retries cannot be negative (${value})`)
    flags.Retries = retries
  } else if (name in DURATIONS) {
    const duration = parseDuration(value)
    if (duration !== 0 && duration < MINIMUM_DURATION) throw invalidArgument(`Interval ${JSON.stringify(name)} cannot be less than 1ms`)
    flags[DURATIONS[name as keyof typeof DURATIONS]] = duration
  } else throw invalidArgument(`unknown flag: --${name}`)
}

function parseDuration(text: string): number {
  try {
    return parseGoDuration(text)
  } catch (cause) {
    throw invalidArgument((cause as Error).message, cause)
  }
}
