import { parseGoDuration, parseNano, parseUnixNano } from '#lib'

const SECOND = 1_000_000_000n

/**
 * `--since` and `--until` as the API wants them: seconds since the epoch with nine digits of fraction. Accepts seconds, RFC 3339 with parts
 * left out (the local zone then counts), and durations before now. Throws Error with Docker's text, which names `flag` for `logs` only.
 */
export function timeArgument(text: string, flag?: 'since' | 'until', now: number = Date.now()): string {
  const duration = goDuration(text)
  if (duration !== undefined) return unixText(BigInt(now) * 1_000_000n - BigInt(Math.trunc(duration)))
  if (/^-?\d+(?:\.\d+)?$/.test(text)) {
    parseUnixNano(text)
    return text
  }
  return unixText(completeTime(text, flag))
}

function goDuration(text: string): number | undefined {
  try {
    return parseGoDuration(text)
  } catch {
    return undefined
  }
}

/** A date alone is midnight; without a zone it is local time. */
function completeTime(text: string, flag: string | undefined): bigint {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d{1,9})?))?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text)
  if (match === null) {
    const prefix = flag === undefined ? '' : `invalid value for "${flag}": `
    throw new Error(`${prefix}failed to parse value as time or duration: ${JSON.stringify(text)}`)
  }
  const [, day = '', hours = '00', minutes = '00', seconds = '00', zone] = match
  const local = `${day}T${hours}:${minutes}:${seconds}`
  if (zone !== undefined) return parseNano(local + zone)
  const [whole = '', fraction = ''] = local.split('.')
  const milliseconds = new Date(whole).getTime()
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

function unixText(nano: bigint): string {
  const fraction = ((nano % SECOND) + SECOND) % SECOND
  return `${(nano - fraction) / SECOND}.${fraction.toString().padStart(9, '0')}`
}
