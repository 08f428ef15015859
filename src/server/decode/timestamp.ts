/**
 * The forms of a point in time that `since` and `until` take: unix seconds with a fraction, RFC 3339 (zone and time may be missing), or a
 * Go duration before now. Source: moby `daemon/internal/timestamp`, Go `time.ParseDuration`.
 */

import { invalidArgument } from '#errors'

const NANOSECONDS_PER: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const UNIX_SECONDS = /^(-?\d{1,12})(?:\.(\d+))?$/
const DURATION = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const CALENDAR = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9})\d*)?)?)?(Z|[+-]\d{2}:\d{2})?$/

/** Nanoseconds since the epoch; undefined for the empty string. Throws INVALID_ARGUMENT. `now` in milliseconds is there for tests. */
export function parseTimestamp(text: string, now: number = Date.now()): bigint | undefined {
  if (text === '') return undefined

  const unix = UNIX_SECONDS.exec(text)
  if (unix !== null) {
    const seconds = BigInt(unix[1] ?? 0) * 1_000_000_000n
    const fraction = BigInt((unix[2] ?? '').slice(0, 9).padEnd(9, '0'))
    return text.startsWith('-') ? seconds - fraction : seconds + fraction
  }

  if (DURATION.test(text) || text === '0') return BigInt(Math.round(now * 1000)) * 1000n - parseDuration(text)

  const calendar = CALENDAR.exec(text)
  if (calendar !== null) {
    const [, date, minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = calendar
    const milliseconds = Date.parse(`${date}T${minutes}:${seconds}${zone}`)
    if (!Number.isNaN(milliseconds)) return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
  }
  throw invalidArgument(
    `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05.999999999Z07:00": cannot parse ${JSON.stringify(text)}`,
  )
}

/** Go's duration grammar, `1h2m3.5s`, as nanoseconds. */
function parseDuration(text: string): bigint {
  let total = 0n
  for (const [, number = '0', unit = 'ns'] of text.matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)) {
    const scale = NANOSECONDS_PER[unit] ?? 1n
    const [whole = '0', fraction = ''] = number.split('.')
    total += BigInt(whole || '0') * scale
    if (fraction !== '') total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
  }
  return text.startsWith('-') ? -total : total
}
