/**
 * Durations as Go writes them (`1h2m3.5s`), in nanoseconds. Numbers are exact up to 2^53 ns (104 days); longer ones lose only nanoseconds.
 * Source: Go's documentation of time.ParseDuration and time.Duration.String.
 */

const UNITS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  // Micro sign and Greek mu look alike; both are accepted.
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Nanoseconds. Throws SyntaxError with Go's text, e.g. `time: missing unit in duration "5"`. */
export function parseGoDuration(text: string): number {
  const fail = (what: string): never => {
    throw new SyntaxError(`time: ${what}duration ${JSON.stringify(text)}`)
  }
  const negative = text.startsWith('-')
  let rest = /^[+-]/.test(text) ? text.slice(1) : text
  if (rest === '0') return 0
  if (rest === '') return fail('invalid ')
  let total = 0
  while (rest !== '') {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0]
    if (number === undefined) return fail('invalid ')
    rest = rest.slice(number.length)
    const unit = /^[^\d.]*/.exec(rest)?.[0] ?? ''
    if (unit === '') return fail('missing unit in ')
    const scale = UNITS[unit]
    if (scale === undefined) return fail(`unknown unit ${JSON.stringify(unit)} in `)
    rest = rest.slice(unit.length)
    total += Number(number) * scale
  }
  if (total >= 2 ** 63) return fail('invalid ')
  // Whole nanoseconds, as 0.1ns is 0 in Go; `+ 0` turns -0 into 0.
  return Math.trunc(negative ? -total : total) + 0
}

/** `1h2m3.5s`, `1m30s`, `250ms`, `0s`. */
export function formatGoDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s'
  const sign = nanoseconds < 0 ? '-' : ''
  const total = BigInt(Math.trunc(Math.abs(nanoseconds)))
  if (total < 1_000n) return `${sign}${total}ns`
  if (total < 1_000_000n) return `${sign}${decimal(total, 3)}\u00b5s`
  if (total < 1_000_000_000n) return `${sign}${decimal(total, 6)}ms`
  const minutes = total / 60_000_000_000n
  const seconds = `${decimal(total % 60_000_000_000n, 9)}s`
  if (minutes === 0n) return sign + seconds
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

/** `value` / 10^digits without trailing zeros. */
function decimal(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, '0')
  const fraction = text.slice(-digits).replace(/0+$/, '')
  return fraction === '' ? text.slice(0, -digits) : `${text.slice(0, -digits)}.${fraction}`
}
