/** Bodies that are JSON: how much may come, of which type, and what is said when it is wrong. Source: moby `httputils.ReadJSON`. */

import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { EngineError, invalidArgument } from '#errors'
import { describeJsonError, hasTrailingContent, isTooDeep } from './json-syntax.ts'

/** Largest JSON body, 16 MiB. Docker has none; a request is decoded in memory, so ours needs one. */
export const MAX_JSON_BODY: number = 16 * 1024 * 1024

/** Whole body as bytes. Throws INVALID_ARGUMENT past `limit`, CANCELLED when the client goes away half-way. */
export async function readBody(body: Readable, limit: number = MAX_JSON_BODY): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) throw invalidArgument('http: request body too large')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError('CANCELLED', 'client closed the connection while sending the request', { cause: error })
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
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
  if (isTooDeep(text)) throw invalidArgument('invalid JSON: exceeded max depth')
  try {
    return JSON.parse(text)
  } catch (error) {
    if (hasTrailingContent(text)) throw invalidArgument('unexpected content after JSON', error)
    throw invalidArgument(`invalid JSON: ${describeJsonError(text)}`, error)
  }
}

/** Whether the request announces a body. */
export function announcesBody(headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}
