import { constants } from 'node:os'
import { invalidArgument } from '#errors'

/** signal(7): real-time signals as glibc numbers them; the first two belong to its threads. */
const SIGRTMIN = 34
const SIGRTMAX = 64

const NUMBERS: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(constants.signals).map(([name, number]): [string, number] => [name.slice('SIG'.length), number]),
  ['CLD', constants.signals.SIGCHLD],
  ...Array.from({ length: 16 }, (_, n): [string, number] => [n === 0 ? 'RTMIN' : `RTMIN+${n}`, SIGRTMIN + n]),
  ...Array.from({ length: 15 }, (_, n): [string, number] => [n === 0 ? 'RTMAX' : `RTMAX-${n}`, SIGRTMAX - n]),
])

const VALID = new Set(NUMBERS.values())

export const SIGKILL: number = constants.signals.SIGKILL
export const SIGTERM: number = constants.signals.SIGTERM

/** `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3`. Throws INVALID_ARGUMENT with Docker's text. */
export function parseSignal(text: string): number {
  if (/^[+-]?\d+$/.test(text)) {
    const number = Number(text)
    if (number === 0) throw invalidArgument(`invalid signal: ${text}`)
    return number
  }
  const number = NUMBERS.get(text.toUpperCase().replace(/^SIG/, ''))
  if (number === undefined) throw invalidArgument(`invalid signal: ${text}`)
  return number
}

/** Throws INVALID_ARGUMENT for a number no signal has. */
export function requireKnownSignal(number: number): void {
  if (!VALID.has(number)) throw invalidArgument(`the linux daemon does not support signal ${number}`)
}
