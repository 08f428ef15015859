/** Sends a domain stream as a response body with backpressure, and stops the source when the client goes away. */

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createDeflateRaw, createGzip, constants } from 'node:zlib'
import type { RequestContext } from '../request-context.ts'

/**
 * The head is held back until the source has its first byte or ends: a source that fails before that gets a proper status. `compress`:
 * use gzip or deflate when the client accepts it.
 */
export async function sendStream(
  context: RequestContext,
  source: Readable,
  contentType: string,
  options: { headers?: Record<string, string>; compress?: boolean } = {},
): Promise<void> {
  const { response } = context
  const stop = (): void => void source.destroy()
  response.once('close', stop)
  if (response.destroyed) stop()
  if (!source.readableEnded && source.readableLength === 0 && !source.destroyed) {
    const settled = new AbortController()
    try {
      // `end` counts when the source is empty; once() rejects on `error`.
      await Promise.race(['readable', 'end', 'close'].map((event) => once(source, event, { signal: settled.signal })))
    } finally {
      settled.abort()
    }
  }
  if (source.errored) throw source.errored

  const encoding = options.compress === true ? chooseEncoding(context.request.headers['accept-encoding'] ?? '') : undefined
  context.startStream(contentType, { ...options.headers, ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }) })
  try {
    if (encoding === undefined) await pipeline(source, response)
    // Level 1: the other end is on the same machine more often than not.
    else await pipeline(source, encoding === 'gzip' ? createGzip({ level: constants.Z_BEST_SPEED }) : createDeflateRaw(), response)
  } catch (error) {
    // A client that has enough is no error of ours.
    if (!isPrematureClose(error)) throw error
  }
}

function chooseEncoding(accepted: string): 'gzip' | 'deflate' | undefined {
  const names = accepted
    .split(',')
    .map((part) => part.trim().split(';'))
    .filter((parts) => !parts.some((part) => /^\s*q=0(?:\.0*)?\s*$/.test(part)))
    .map(([name = '']) => name.toLowerCase())
  return (['gzip', 'deflate'] as const).find((name) => names.includes(name))
}

function isPrematureClose(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE' || code === 'ECONNRESET'
}
