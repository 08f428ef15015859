import { invalidArgument } from '#errors'

/**
 * The time that nothing may be younger than, in milliseconds: the exporter's own attribute, else the build argument. Empty: none. Source: moby/buildkit
 * exporter/util/epoch/parse.go.
 */
export function parseEpoch(attribute: string | undefined, options: Readonly<Record<string, string>>): number | undefined {
  const text = attribute ?? options['build-arg:SOURCE_DATE_EPOCH'] ?? ''
  if (text === '') return undefined
  const milliseconds = /^-?\d{1,12}$/.test(text) ? Number(text) * 1000 : Number.NaN
  if (milliseconds !== withinYears(milliseconds)) throw invalidArgument(`invalid SOURCE_DATE_EPOCH: ${text}`)
  return milliseconds
}

const FIRST_YEAR = Date.parse('0001-01-01T00:00:00Z')
const LAST_YEAR = Date.parse('9999-12-31T23:59:59Z')

/** The nearest time that has a year of four digits: others cannot be written as RFC 3339, and Go's programs refuse what holds them. */
export function withinYears(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, FIRST_YEAR), LAST_YEAR)
}

/** As Go writes a time: no fraction where there is none. */
export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}
