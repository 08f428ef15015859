import type { CacheFilters } from '#build'
import { invalidArgument, notImplemented } from '#errors'

/** One after the other: a comma may stand inside of a text. */
const TERM = /([a-z]+)(?:(==|=|~=|!=)("(?:[^"\\]|\\.)*"|[^,"]*))?(?:,|$)/y

/**
 * Filters of records in containerd's language, as far as buildx writes it: terms with commas between them, all of which must hold. Throws INVALID_ARGUMENT,
 * NOT_IMPLEMENTED for several filters of which one is enough, and for patterns other than `.*` between parts of the text.
 */
export function parseCacheFilters(filters: readonly string[]): CacheFilters {
  const given = filters.filter((filter) => filter !== '')
  if (given.length > 1) throw notImplemented('several filters at once are not implemented in Gantry')
  // Without a prototype: a client may filter by `constructor`.
  const parsed = Object.create(null) as Record<string, string[]>
  const [filter = ''] = given
  const term = new RegExp(TERM)
  for (let at = 0; at < filter.length;) {
    term.lastIndex = at
    const [whole = '', name = '', operator, value = ''] = term.exec(filter) ?? []
    if (name === '') throw invalidArgument(`invalid filter ${JSON.stringify(filter.slice(at))}`)
    at += whole.length
    const text = value.startsWith('"') ? unquoted(value) : value
    // No regular expressions: one can be written that never ends.
    if (operator === '~=' && /[.*+?^$()[\]{}|\\]/.test(text.replaceAll('.*', '')))
      throw notImplemented('regular expressions in filters are not implemented in Gantry')
    ;(parsed[name + suffixOf(name, operator)] ??= []).push(...(operator === undefined ? [] : [text]))
  }
  return parsed
}

/** Throws INVALID_ARGUMENT for escapes that there are not. */
function unquoted(value: string): string {
  try {
    return JSON.parse(value) as string
  } catch (error) {
    throw invalidArgument(`invalid filter ${value}`, error)
  }
}

/** As {@link CacheFilters} writes the operator. Of an id a part is always enough. */
function suffixOf(name: string, operator: string | undefined): string {
  if (operator === '!=') return '!'
  return operator === '~=' && name !== 'id' ? '~' : ''
}
