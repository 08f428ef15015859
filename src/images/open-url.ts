import { Agent as HttpAgent, request as requestHttp } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { EngineError, invalidArgument } from '#errors'
import { networkError } from '#remotes'

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
  const { status, statusText, body, size, address } = await requestUrl(url, options)
  if (status >= 200 && status < 300) return { body, size }
  throw new EngineError('UNAVAILABLE', `failed to GET ${address} with status ${status} ${statusText}: ${await readStart(body)}`)
}

export interface UrlRequest {
  /** Redirects of the others than GET and HEAD are not followed, but are an answer. */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH'
  body?: Uint8Array
  headers?: Readonly<Record<string, string>>
  /** Value of the Authorization header. For the address that is asked only: a redirect to another origin does not take it along. */
  authorization?: string
  /** As variables of the environment say it: `http_proxy`, `https_proxy`, `no_proxy`. */
  proxies?: Readonly<Record<string, string>>
  signal?: AbortSignal
}

export interface UrlResponse extends OpenedUrl {
  /** No redirect that was to be followed. */
  status: number
  statusText: string
  headers: IncomingHttpHeaders
  /** Where it came from, without a password. */
  address: string
}

/** Asks for `url`, redirects followed; any other status is an answer. The body must be read or given up. Throws UNAVAILABLE when the server cannot be asked. */
export async function requestUrl(url: URL, options: UrlRequest = {}): Promise<UrlResponse> {
  let current = url
  for (let i = 0; i <= MAX_REDIRECTS; i++) {
    const response = await send(current, current.origin === url.origin ? options : { ...options, authorization: undefined })
    const { statusCode: status = 0, statusMessage: statusText = '', headers } = response
    if (status < 300 || status >= 400 || headers.location === undefined || !isFollowed(options)) {
      const size = Number(headers['content-length'] ?? Number.NaN)
      const address = shown(current)
      return {
        status,
        statusText,
        headers,
        address,
        body: readBody(response, current),
        size: Number.isSafeInteger(size) ? size : undefined,
      }
    }
    response.destroy()
    current = follow(current, headers.location)
  }
  throw new EngineError('UNAVAILABLE', `failed to GET ${shown(url)}: stopped after ${MAX_REDIRECTS} redirects`)
}

function isFollowed({ method = 'GET' }: UrlRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** An address as messages and logs may show it. */
function shown(url: URL): string {
  if (url.password === '') return url.href
  const copy = new URL(url)
  copy.password = 'xxxxx'
  return copy.href
}

function follow(from: URL, location: string): URL {
  const to = URL.parse(location, from.href)
  if (to === null) throw new EngineError('UNAVAILABLE', `failed to GET ${shown(from)}: redirected to ${JSON.stringify(location)}`)
  return checkScheme(to)
}

async function send(
  url: URL,
  options: Omit<UrlRequest, 'authorization'> & { authorization?: string | undefined },
): Promise<IncomingMessage> {
  const { method = 'GET', body, headers, authorization, signal, proxies = {} } = options
  const isSecure = url.protocol === 'https:'
  const proxied = Object.keys(proxies).length === 0 ? undefined : new (isSecure ? HttpsAgent : HttpAgent)({ proxyEnv: proxies })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = (isSecure ? requestHttps : requestHttp)(url, {
    method,
    // A connection of its own, which ends with the download.
    agent: proxied ?? false,
    timeout: IDLE_TIMEOUT,
    headers: {
      'user-agent': 'gantry',
      ...headers,
      ...(body !== undefined && { 'content-length': String(body.length) }),
      ...(authorization !== undefined && { authorization }),
    },
    ...(signal === undefined ? {} : { signal }),
  })
  request.on('timeout', () => request.destroy(new Error('no answer')))
  request.on('response', resolve).on('error', reject).end(body)
  try {
    return await promise
  } catch (error) {
    throw explain(error, { method, url }, signal)
  }
}

async function* readBody(response: IncomingMessage, url: URL): AsyncGenerator<Buffer, void, void> {
  try {
    yield* response as AsyncIterable<Buffer>
  } catch (error) {
    throw explain(error, { method: 'GET', url })
  }
}

function explain(error: unknown, { method, url }: { method: string; url: URL }, signal?: AbortSignal): unknown {
  if (signal?.aborted === true || (error instanceof Error && error.name === 'AbortError')) return error
  return new EngineError('UNAVAILABLE', networkError({ method, url: url.href }, error).message, { cause: error })
}

async function readStart(body: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of body) {
    text += chunk.toString()
    if (text.length >= MAX_ERROR_TEXT) break
  }
  return text.slice(0, MAX_ERROR_TEXT).trim()
}
