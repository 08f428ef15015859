/**
 * Points in time with nanoseconds, as bigint since the Unix epoch and as RFC 3339 text. `Date` has milliseconds only, and events and log lines
 * of one millisecond must keep their order.
 */

const SECOND = 1_000_000_000n

/** The wall clock now. */
export function nowNano(): bigint {
  return Temporal.Now.instant().epochNanoseconds
}

/** `2024-05-06T07:08:09.12345Z`, trailing zeros cut: Go's time.RFC3339Nano, as Docker writes times in JSON. UTC. */
export function formatNano(nano: bigint): string {
  const fixed = formatNanoFixed(nano)
  let end = fixed.length - 1
  while (fixed.charCodeAt(end - 1) === 0x30) end--
  if (fixed[end - 1] === '.') end--
  return `${fixed.slice(0, end)}Z`
}

/** `2024-05-06T07:08:09.123450000Z`: always nine digits, as before log lines. UTC. */
export function formatNanoFixed(nano: bigint): string {
  // Floor division: times before 1970 (Go's zero time among them) have negative values.
  const fraction = ((nano % SECOND) + SECOND) % SECOND
  const seconds = (nano - fraction) / SECOND
  const date = new Date(Number(seconds) * 1000).toISOString()
  return `${date.slice(0, date.length - 5)}.${fraction.toString().padStart(9, '0')}Z`
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** The moment of an RFC 3339 text; digits past the ninth are cut. Throws SyntaxError. */
export function parseNano(text: string): bigint {
  const match = RFC3339.exec(text)
  if (match === null) throw new SyntaxError(`Cannot parse time ${JSON.stringify(text)}: not RFC 3339`)
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = match
  const date = new Date(0)
  // Not Date.UTC: it reads the years 0 to 99 as 1900 to 1999, and Go's zero time is in the year 1.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  const inRange =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hour) &&
    Number(minute) < 60
  if (!inRange || Number(second) > 59) throw new SyntaxError(`Cannot parse time ${JSON.stringify(text)}: a field is out of range`)
  const offset = sign === undefined ? 0 : (Number(offsetHour) * 60 + Number(offsetMinute)) * 60 * (sign === '-' ? -1 : 1)
  const seconds = date.getTime() / 1000 - offset
  return BigInt(seconds) * SECOND + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

/** `1136073600.000000001` or `1136073600`: seconds with an optional fraction, as clients send `since` and `until`. Throws SyntaxError. */
export function parseUnixNano(text: string): bigint {
  const match = /^(-?\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null) throw new SyntaxError(`Cannot parse time ${JSON.stringify(text)}: not seconds since the epoch`)
  const [, seconds = '0', fraction = ''] = match
  const nano = BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return BigInt(seconds) * SECOND + (seconds.startsWith('-') ? -nano : nano)
}
