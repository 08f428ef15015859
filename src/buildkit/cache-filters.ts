import type { CacheFilters } from '#build'
import { invalidArgument, notImplemented } from '#errors'

const TERM = /^([a-z]+)(?:(==|=|~=|!=)("(?:[^"\\]|\\.)*"|[^,"]*))?$/

/**
 * Filters of records in containerd's language, as far as buildx writes it: terms with commas between them, all of which must hold. Throws INVALID_ARGUMENT,
 * NOT_IMPLEMENTED for several filters of which one is enough, for `!=` and for patterns that are more than a part of the text.
 */
export function parseCacheFilters(filters: readonly string[]): CacheFilters {
  const given = filters.filter((filter) => filter !== '')
  if (given.length > 1) throw notImplemented('several filters at once are not implemented in Gantry')
  const parsed: Record<string, string[]> = {}
  for (const term of given[0]?.split(',') ?? []) {
    const [, name = '', operator, value = ''] = TERM.exec(term) ?? []
    if (name === '') throw invalidArgument(`invalid filter ${JSON.stringify(term)}`)
    if (operator === '!=') throw notImplemented('filters with != are not implemented in Gantry')
    const text = value.startsWith('"') ? (JSON.parse(value) as string) : value
    if (operator === '~=' && /[.*+?^$()[\]{}|\\]/.test(text))
      throw notImplemented('regular expressions in filters are not implemented in Gantry')
    ;(parsed[name] ??= []).push(...(operator === undefined ? [] : [text]))
  }
  return parsed
}
