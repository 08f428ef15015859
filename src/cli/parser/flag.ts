/**
 * Flags as data. A command declares a record of flags; the parser fills a record of values with the same keys, each of the type its flag
 * says. Kinds and their names in help follow pflag, which Docker's CLI uses.
 */

import { parseGoBoolean, splitCsvLine } from '#lib'

/** One flag. `T` is what the command reads. */
export interface Flag<T> {
  /** Word for the value in help: `string`, `list`, `int`; empty for a switch. */
  kind: string
  initial: T
  /** The value after one more occurrence. Throws Error with the text that follows `invalid argument "x" for "--flag" flag: `. */
  set(current: T, text: string): T
  /** The text that a bare `--flag` stands for; a flag without it needs a value. */
  bare?: string
  help: string
  short?: string
  /** Shown behind the help text as `(default …)`. */
  defaultText?: string
  hidden?: boolean
  /** Why it should no longer be used: printed when it is. */
  deprecated?: string
  /** API version that brought it: refused when the daemon is older. */
  version?: string
  /** Windows-only flags are accepted and sent, but not shown for a Linux daemon. */
  osType?: 'windows' | 'linux'
  /** Needs a daemon with experimental features. */
  experimental?: boolean
  /** The flag whose value this old spelling sets. */
  aliasOf?: string
}

export type FlagTable = Record<string, Flag<unknown>>
export type FlagValues<Flags> = { [Name in keyof Flags]: Flags[Name] extends Flag<infer T> ? T : never }

/** What most flags share beside kind and help. */
export type FlagOptions = Pick<
  Flag<unknown>,
  'short' | 'defaultText' | 'hidden' | 'deprecated' | 'version' | 'osType' | 'experimental' | 'aliasOf'
>

/** `--force`, `--force=false`. */
export function bool(help: string, options: FlagOptions & { initial?: boolean } = {}): Flag<boolean> {
  const { initial = false, ...rest } = options
  return {
    kind: '',
    initial,
    bare: 'true',
    help,
    ...(initial ? { defaultText: 'true' } : {}),
    ...rest,
    set: (_, text) => parseGoBoolean(text),
  }
}

export function string(help: string, options: FlagOptions & { initial?: string } = {}): Flag<string> {
  const { initial = '', ...rest } = options
  return {
    kind: 'string',
    initial,
    help,
    ...(initial === '' ? {} : { defaultText: JSON.stringify(initial) }),
    ...rest,
    set: (_, text) => text,
  }
}

/** A signed whole number; `min` and `max` are the limits of the Go type. */
export function int(help: string, options: FlagOptions & { initial?: number } = {}): Flag<number> {
  const { initial = 0, ...rest } = options
  return {
    kind: 'int',
    initial,
    help,
    ...(initial === 0 ? {} : { defaultText: String(initial) }),
    ...rest,
    set: (_, text) => parseInteger('ParseInt', text, -(2 ** 63), 2 ** 63 - 1),
  }
}

/** An unsigned whole number of `bits` bits. */
export function uint(kind: string, bits: number, help: string, options: FlagOptions = {}): Flag<number> {
  return { kind, initial: 0, help, ...options, set: (_, text) => parseInteger('ParseUint', text, 0, 2 ** bits - 1) }
}

/** May be given many times; `check` returns the value to keep. */
export function list(help: string, options: FlagOptions & { check?: (text: string) => string } = {}): Flag<string[]> {
  const { check, ...rest } = options
  return { kind: 'list', initial: [], help, ...rest, set: (current, text) => [...current, check === undefined ? text : check(text)] }
}

/** May be given many times, and each time with several values between commas. */
export function strings(help: string, options: FlagOptions = {}): Flag<string[]> {
  return { kind: 'strings', initial: [], help, ...options, set: (current, text) => [...current, ...splitCsvLine(text)] }
}

/** A flag with a value of its own kind. */
export function custom<T>(
  kind: string,
  initial: T,
  set: (current: T, text: string) => T,
  help: string,
  options: FlagOptions = {},
): Flag<T> {
  return { kind, initial, help, ...options, set }
}

/** Go's strconv.ParseInt and ParseUint with base 0: `0x`, `0o`, `0b`, and a leading zero for octal. */
export function parseInteger(call: string, text: string, min: number, max: number): number {
  const match = (min < 0 ? /^([+-]?)(.+)$/s : /^()(.+)$/s).exec(text)
  const digits = match?.[2] ?? ''
  const normal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits
  const valid = /^(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0|[1-9]\d*)$/.test(normal)
  if (!valid) throw new Error(`strconv.${call}: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = match?.[1] === '-' ? -Number(normal) : Number(normal)
  if (value < min || value > max) throw new Error(`strconv.${call}: parsing ${JSON.stringify(text)}: value out of range`)
  return value
}
