/**
 * The `filters` parameter: JSON in one of two forms, `{"label":["a=b"]}` or, from clients older than API 1.22, `{"label":{"a=b":true}}`.
 * Source: moby `daemon/internal/filters`.
 */

import { invalidArgument } from '#errors'
import { addMembers } from '#lib'
import { parseTimestamp } from './timestamp.ts'

export type Filters = Record<string, string[]>

/** Throws INVALID_ARGUMENT `invalid filter` for anything else, and for a key that is not in `accepted` (when given). */
export function parseFilters(text: string, accepted?: readonly string[]): Filters {
  if (text === '') return {}
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw invalidArgument('invalid filter', error)
  }
  if (json === null) return {}
  if (typeof json !== 'object' || Array.isArray(json)) throw invalidArgument('invalid filter')

  const filters: Filters = {}
  for (const [key, values] of Object.entries(json)) {
    if (accepted !== undefined && !accepted.includes(key)) throw invalidArgument(`invalid filter '${key}'`)
    addMembers(filters, [[key, filterValues(values)]])
  }
  return filters
}

function filterValues(values: unknown): string[] {
  if (values === null) return []
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values
  if (typeof values === 'object' && !Array.isArray(values)) {
    return Object.entries(values).flatMap(([value, wanted]) => {
      if (typeof wanted !== 'boolean') throw invalidArgument('invalid filter')
      return wanted ? [value] : []
    })
  }
  throw invalidArgument('invalid filter')
}

/** A filter that may be given once, as a boolean. Source: moby `Args.GetBoolOrDefault`. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters[key]
  if (values === undefined || values.length === 0) return undefined
  const isTrue = values.includes('1') || values.includes('true')
  const isFalse = values.includes('0') || values.includes('false')
  if (isTrue === isFalse) throw invalidArgument(`invalid filter '${key}=[${values.join(' ')}]'`)
  return isTrue
}

/** `until` of the prune requests, in milliseconds since the epoch. */
export function untilFilter(filters: Filters): number | undefined {
  const values = filters['until']
  if (values === undefined || values.length === 0) return undefined
  if (values.length > 1) throw invalidArgument('more than one until filter specified')
  const nanoseconds = parseTimestamp(values[0] ?? '')
  return nanoseconds === undefined ? undefined : Number(nanoseconds / 1_000_000n)
}

/** `key` or `key=value`. */
export function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const [key = '', value] = wanted.split(/=(.*)/s)
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value)
}
