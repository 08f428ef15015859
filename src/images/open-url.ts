import { request as requestHttp } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { EngineError, invalidArgument } from '#errors'

/** As Go's client. */
const MAX_REDIRECTS = 10
/** Milliseconds without a byte after which a server is taken for dead. */
const IDLE_TIMEOUT = 60_000
/** Bytes of an error page that are shown. */
const MAX_ERROR_TEXT = 1024

export interface OpenedUrl {
  body: AsyncIterable<Buffer>
  /** Bytes; undefined when the server does not say. */
  size: number | undefined
}

/** An address as `docker import` takes it: without a scheme it is http. Throws INVALID_ARGUMENT for other schemes and for what is no address. */
export function parseSourceUrl(text: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || url.hostname === '') throw invalidArgument(`invalid URL ${JSON.stringify(text)}`)
  return checkScheme(url)
}

function checkScheme(url: URL): URL {
  if (url.protocol === 'http:' || url.protocol === 'https:') return url
  throw invalidArgument(`unsupported protocol scheme ${JSON.stringify(url.protocol.slice(0, -1))}`)
}

/** Gets what is at `url`, redirects followed. Throws UNAVAILABLE when the server cannot be asked or answers with an error. */
export async function openUrl(url: URL, options: { signal?: AbortSignal } = {}): Promise<OpenedUrl> {
  let current = url
  for (let i = 0; i <= MAX_REDIRECTS; i++) {
    const response = await get(current, options)
    const { statusCode: status = 0, statusMessage = '', headers } = response
    if (status >= 200 && status < 300) {
      const size = Number(headers['content-length'])
      return { body: readBody(response, current), size: Number.isSafeInteger(size) ? size : undefined }
    }
    if (status < 300 || status >= 400 || headers.location === undefined) {
      throw new EngineError(
        'UNAVAILABLE',
        `failed to GET ${current.href} with status ${status} ${statusMessage}: ${await readStart(response)}`,
      )
    }
    response.destroy()
    current = follow(current, headers.location)
  }
  throw new EngineError('UNAVAILABLE', `failed to GET ${url.href}: stopped after ${MAX_REDIRECTS} redirects`)
}

function follow(from: URL, location: string): URL {
  const to = URL.parse(location, from.href)
  if (to === null) throw new EngineError('UNAVAILABLE', `failed to GET ${from.href}: redirected to ${JSON.stringify(location)}`)
  return checkScheme(to)
}

async function get(url: URL, { signal }: { signal?: AbortSignal }): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    // A connection of its own, which ends with the download.
    agent: false,
    timeout: IDLE_TIMEOUT,
    headers: { 'user-agent': 'gantry' },
    ...(signal === undefined ? {} : { signal }),
  })
  request.on('timeout', () => request.destroy(new Error('no answer')))
  request.on('response', resolve).on('error', reject).end()
  try {
    return await promise
  } catch (error) {
    throw explain(error, url, signal)
  }
}

async function* readBody(response: IncomingMessage, url: URL): AsyncGenerator<Buffer, void, void> {
  try {
    yield* response as AsyncIterable<Buffer>
  } catch (error) {
    throw explain(error, url)
  }
}

function explain(error: unknown, url: URL, signal?: AbortSignal): unknown {
  if (signal?.aborted === true || (error instanceof Error && error.name === 'AbortError')) return error
  return new EngineError('UNAVAILABLE', `failed to GET ${url.href}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}

async function readStart(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString()
    if (text.length >= MAX_ERROR_TEXT) break
  }
  return text.slice(0, MAX_ERROR_TEXT).trim()
}
