import { invalidArgument } from '#errors'
import type { CacheFilters, CacheRecordInfo } from '../types.ts'

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
}

/** Whether it has one of the values of each name. Throws INVALID_ARGUMENT for a name that there is not. */
export function matchesFilters(record: CacheRecordInfo, filters: CacheFilters): boolean {
  return Object.entries(filters).every(([name, values]) => {
    const matches = Object.hasOwn(MATCHERS, name) ? MATCHERS[name] : undefined
    if (matches === undefined) throw invalidArgument(`invalid filter '${name}'`)
    return values.length === 0 ? matches(record, '') : values.some((value) => matches(record, value))
  })
}

/** `--filter shared` says the same as `--filter shared=true`. */
function asBoolean(value: string): boolean {
  return value !== 'false' && value !== '0'
}
