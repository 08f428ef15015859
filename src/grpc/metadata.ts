/**
 * gRPC's metadata, in which one name may have several values. Fetch's `Headers`, which the library carries headers in, join them by commas, and a pattern may
 * hold a comma. So lists go around it: out in one header that {@link spreadMetadata} takes apart again, in beside it by a context value.
 */

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { createContextKey, type ContextKey, type HandlerContext } from './library.ts'

export type Metadata = ReadonlyMap<string, readonly string[]>

const CARRIER = 'gantry-metadata'

export const METADATA: ContextKey<Metadata> = createContextKey<Metadata>(new Map(), { description: 'metadata of the call' })

/** Headers for a call: each value becomes a header of its own. Names in lower case, values in ASCII. */
export function metadataHeaders(metadata: Readonly<Record<string, string | readonly string[]>>): Record<string, string> {
  return { [CARRIER]: Buffer.from(JSON.stringify(metadata)).toString('base64url') }
}

/** The headers that are really sent. */
export function spreadMetadata({ [CARRIER]: carried, ...headers }: OutgoingHttpHeaders): OutgoingHttpHeaders {
  if (typeof carried !== 'string') return headers
  return { ...headers, ...(JSON.parse(Buffer.from(carried, 'base64url').toString()) as OutgoingHttpHeaders) }
}

/** What came with the call that is being served: names in lower case, values as sent. */
export function metadataOf(context: Pick<HandlerContext, 'values'>): Metadata {
  return context.values.get(METADATA)
}

/** From pairs of name and value, one after the other. */
export function parseMetadata(rawHeaders: readonly string[]): Metadata {
  const metadata = new Map<string, string[]>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    const values = metadata.get(name) ?? []
    values.push(rawHeaders[index + 1] ?? '')
    metadata.set(name, values)
  }
  return metadata
}

/** Go's servers and clients need an authority that is part of a URL; over a given socket it says nothing. */
export function fixAuthority(headers: IncomingHttpHeaders): void {
  headers[':authority'] = 'localhost'
}
