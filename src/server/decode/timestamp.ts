/**
 * The forms of a point in time that `since` and `until` take: unix seconds with a fraction, RFC 3339 (zone and time may be missing), or a
 * Go duration before now. Source: moby `daemon/internal/timestamp`, Go `time.ParseDuration`.
 */

import { invalidArgument } from '#errors'
import { parseGoDuration, parseUnixNano } from '#lib'

const UNIX_SECONDS = /^-?\d{1,12}(?:\.\d+)?$/
const DURATION = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const CALENDAR = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9})\d*)?)?)?(Z|[+-]\d{2}:\d{2})?$/

/** Nanoseconds since the epoch; undefined for the empty string. Throws INVALID_ARGUMENT. `now` in milliseconds is there for tests. */
export function parseTimestamp(text: string, now: number = Date.now()): bigint | undefined {
  if (text === '') return undefined

  if (UNIX_SECONDS.test(text)) return parseUnixNano(text)
  if (DURATION.test(text)) return BigInt(Math.round(now * 1000)) * 1000n - BigInt(parseGoDuration(text))

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
