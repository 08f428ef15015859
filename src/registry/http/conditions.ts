import type { Exchange } from './exchange.ts'

/** The entity tag of content: its digest. Strong: the bytes are the same. */
export function etagOf(digest: string): string {
  return `"${digest}"`
}

/** Whether the client has this content already (If-None-Match; RFC 9110, 13.1.2). Docker's own clients write the digest without quotes. */
export function isUnchanged(exchange: Exchange, digest: string): boolean {
  const header = exchange.header('if-none-match')
  if (header === undefined) return false
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
  return tags.includes(digest) || tags.includes('*')
}

/** Whether a Range header counts: not when the client's part is of other content (If-Range; RFC 9110, 13.1.5). */
export function rangeApplies(exchange: Exchange, digest: string): boolean {
  const header = exchange.header('if-range')
  return header === undefined || header.trim() === etagOf(digest)
}
