import { invalidArgument } from '#errors'
import { parseJson, readLimited } from '#lib'
import type { HttpResponse } from '../transport/http-transport.ts'
import { MAX_DOCUMENT_SIZE } from '../transport/limits.ts'

/** Pages of one listing; a registry that links in a circle would keep us for ever. */
export const MAX_PAGES = 10_000

/**
 * Where the next page is: the `rel="next"` of a `Link` header, resolved against the page's own address. Undefined at the end, and for an
 * address on another origin: the page after it would come from somebody else. Source: RFC 8288; distribution-spec v1.1, "Listing Tags".
 */
export function nextPage(response: HttpResponse): URL | undefined {
  const { link } = response.headers
  if (typeof link !== 'string') return undefined
  const page = new URL(response.request.url)
  for (const [, target = '', parameters = ''] of link.matchAll(/<([^<>]*)>((?:\s*;\s*[^,;]+)*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?\s*(?:;|$)/i.test(parameters)) continue
    const url = URL.parse(target, page)
    return url?.origin === page.origin ? url : undefined
  }
  return undefined
}

/** Reads a page. Throws INVALID_ARGUMENT for what is no JSON object or larger than 4 MiB. */
export async function readPage(response: HttpResponse): Promise<Record<string, unknown>> {
  const bytes = await readLimited(response.body, MAX_DOCUMENT_SIZE, 'page of a registry')
  try {
    const document = parseJson(bytes, { maxBytes: MAX_DOCUMENT_SIZE, maxDepth: 32 })
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as Record<string, unknown>
  } catch (error) {
    throw invalidArgument('the registry answers with something that is not JSON', error)
  }
  throw invalidArgument('the registry answers with something that is not a JSON object')
}
