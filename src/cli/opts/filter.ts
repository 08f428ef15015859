import type { Filters } from '#client'
import { custom, type Flag, type FlagOptions } from '../parser/flag.ts'

/** `--filter key=value`, many times: values of one key are alternatives. */
export function filter(help: string, options: FlagOptions = {}): Flag<Filters> {
  return custom<Filters>('filter', {}, addFilter, help, options)
}

function addFilter(filters: Filters, text: string): Filters {
  if (text === '') return filters
  const equals = text.indexOf('=')
  if (equals < 0) throw new Error('bad format of filter (expected name=value)')
  const name = text.slice(0, equals).trim().toLowerCase()
  const value = text.slice(equals + 1).trim()
  const values = filters[name] ?? []
  return { ...filters, [name]: values.includes(value) ? values : [...values, value] }
}
