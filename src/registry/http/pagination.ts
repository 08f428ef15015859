import type { Exchange } from './exchange.ts'
import { RegistryError } from './registry-error.ts'

export interface Page<T> {
  items: T[]
  /** Value for the header `Link` when there is more. */
  link: string | undefined
}

/**
 * One page of a listing by `n` and `last`. `read` gives what comes after `last`, at most `limit`. Without `n` there are `standard` entries; more
 * than `max` are given on several pages. Source: distribution-spec v1.1, "Listing Tags". Throws PAGINATION_NUMBER_INVALID.
 */
export async function readPage(
  exchange: Exchange,
  { standard, max }: { standard: number; max: number },
  read: (options: { after?: string; limit: number }) => AsyncIterable<string>,
): Promise<Page<string>> {
  const wanted = readNumber(exchange.query.get('n')) ?? standard
  const size = Math.min(wanted, max)
  const last = exchange.query.get('last')
  const items: string[] = []
  // One more than wanted tells whether there is a next page.
  if (size > 0) for await (const item of read({ ...(last ? { after: last } : {}), limit: size + 1 })) items.push(item)
  if (items.length <= size) return { items, link: undefined }
  items.length = size
  return { items, link: nextLink(exchange.path, { n: String(size), last: items[size - 1] ?? '' }) }
}

/** `</v2/a/tags/list?n=2&last=b>; rel="next"`. */
export function nextLink(path: string, query: Readonly<Record<string, string>>): string {
  return `<${path}?${new URLSearchParams(query).toString()}>; rel="next"`
}

function readNumber(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^\d{1,9}$/.test(text)) throw new RegistryError('PAGINATION_NUMBER_INVALID', { detail: { n: text } })
  return Number(text)
}
