import { invalidArgument } from '#errors'
import { SOURCE_DATE_KEY } from '../source-date-key.ts'
import type { SolvedResult } from '../types.ts'

/** A time that nothing may be younger than, in milliseconds; `none`: the client wants none; undefined: the frontend may know one. */
export type EpochSetting = number | 'none' | undefined

const NUMBER = /^-?\d+$/

/** The exporter's own attribute, else the build argument. Throws INVALID_ARGUMENT. Source: moby/buildkit exporter/util/epoch/parse.go. */
export function parseEpoch(attribute: string | undefined, options: Readonly<Record<string, string>>): EpochSetting {
  if (attribute === '') return 'none'
  if (attribute !== undefined) return milliseconds(attribute)
  const text = options['build-arg:SOURCE_DATE_EPOCH'] ?? ''
  // The name of a context or a stage is for the frontend, which tells its time.
  return NUMBER.test(text) ? milliseconds(text) : undefined
}

/** What holds for a result. Throws INVALID_ARGUMENT. */
export function epochOf(setting: EpochSetting, { metadata }: Pick<SolvedResult, 'metadata'>): number | undefined {
  if (setting !== undefined) return setting === 'none' ? undefined : setting
  const known = metadata[SOURCE_DATE_KEY]
  return known === undefined ? undefined : milliseconds(Buffer.from(known).toString())
}

function milliseconds(seconds: string): number {
  const time = seconds.length <= 13 && NUMBER.test(seconds) ? Number(seconds) * 1000 : Number.NaN
  if (time !== withinYears(time)) throw invalidArgument(`invalid SOURCE_DATE_EPOCH: ${seconds}`)
  return time
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
