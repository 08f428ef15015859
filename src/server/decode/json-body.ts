/** Bodies that are JSON: how much may come, of which type, and what is said when it is wrong. Source: moby `httputils.ReadJSON`. */

import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { EngineError, invalidArgument } from '#errors'
import { LimitExceededError, parseJson as parseLimited, readLimited } from '#lib'
import { describeJsonError, hasTrailingContent, MAX_JSON_DEPTH } from './json-syntax.ts'

/** Largest JSON body, 16 MiB. Docker has none; a request is decoded in memory, so ours needs one. */
export const MAX_JSON_BODY: number = 16 * 1024 * 1024

/** Whole body as bytes. Throws INVALID_ARGUMENT past `limit`, CANCELLED when the client goes away half-way. */
export async function readBody(body: Readable, limit: number = MAX_JSON_BODY): Promise<Buffer> {
  try {
    return await readLimited(body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, limit)
  } catch (error) {
    if (error instanceof LimitExceededError) {
      // The rest is dropped as it comes: a client in the middle of sending, cut off, would see a reset instead of the answer.
      body.resume()
      throw invalidArgument('http: request body too large', error)
    }
    throw new EngineError('CANCELLED', 'client closed the connection while sending the request', { cause: error })
  }
}

/** Refuses a body that does not say it is JSON. No body needs no type. */
export function checkContentType(headers: IncomingHttpHeaders, mayHaveBody: boolean): void {
  const type = headers['content-type'] ?? ''
  if (type === '' && !mayHaveBody) return
  const mediaType = type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (mediaType === 'application/json') return
  if (mediaType === '') throw invalidArgument(`malformed Content-Type header (${type}): mime: no media type`)
  throw invalidArgument(`unsupported Content-Type header (${type}): must be 'application/json'`)
}

/** The one JSON value in `bytes`; undefined for an empty body. Throws INVALID_ARGUMENT with Go's words. */
export function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  if (text === '') return undefined
  if (text.trim() === '') throw invalidArgument('invalid JSON: got EOF while reading request body')
  try {
    return parseLimited(text, { maxBytes: Infinity, maxDepth: MAX_JSON_DEPTH })
  } catch (error) {
    if (error instanceof RangeError) throw invalidArgument('invalid JSON: exceeded max depth', error)
    if (hasTrailingContent(text)) throw invalidArgument('unexpected content after JSON', error)
    throw invalidArgument(`invalid JSON: ${describeJsonError(text)}`, error)
  }
}

/** Whether the request announces a body. */
export function announcesBody(headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}
