import { invalidArgument } from '#errors'
import type { CacheFilters, CacheRecordInfo } from './types.ts'

type Matcher = (record: CacheRecordInfo, value: string) => boolean

/** Docker's and BuildKit's names. Of `id` a part is enough, as with `docker builder prune --filter id=…`. */
const MATCHERS: Readonly<Record<string, Matcher>> = {
  id: (record, value) => record.id.includes(value),
  parent: (record, value) => record.parents.includes(value),
  type: (record, value) => record.type === value,
  description: (record, value) => record.description === value,
  inuse: (record, value) => record.inUse === asBoolean(value),
  mutable: (record, value) => record.mutable === asBoolean(value),
  immutable: (record, value) => record.mutable !== asBoolean(value),
  shared: (record, value) => record.shared === asBoolean(value),
  private: (record, value) => record.shared !== asBoolean(value),
  'parent~': (record, value) => record.parents.some((parent) => hasParts(parent, value)),
  'type~': (record, value) => hasParts(record.type, value),
  'description~': (record, value) => hasParts(record.description, value),
}

/** Whether it has one of the values of each name, and none of those of a name with `!` behind it. Throws INVALID_ARGUMENT for an unknown name. */
export function matchesFilters(record: CacheRecordInfo, filters: CacheFilters): boolean {
  return Object.entries(filters).every(([name, values]) => {
    const isDenied = name.endsWith('!')
    const key = isDenied ? name.slice(0, -1) : name
    const matches = Object.hasOwn(MATCHERS, key) ? MATCHERS[key] : undefined
    if (matches === undefined) throw invalidArgument(`invalid filter '${name}'`)
    return (values.length === 0 ? matches(record, '') : values.some((value) => matches(record, value))) !== isDenied
  })
}

/** `make.*install`: the texts between `.*` are there one after the other. */
function hasParts(text: string, pattern: string): boolean {
  let at = 0
  for (const part of pattern.split('.*')) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return true
}

/** `--filter shared` says the same as `--filter shared=true`. */
function asBoolean(value: string): boolean {
  return value !== 'false' && value !== '0'
}
