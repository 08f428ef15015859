import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '#errors'
import { requestUrl } from '#images'
import type { UrlRequest } from '#images'
import { readLimited } from '#lib'

export interface ServiceCall extends Pick<UrlRequest, 'method' | 'headers' | 'authorization'> {
  url: string
  /** In memory, as it may have to be sent again. */
  body?: Uint8Array
  signal: AbortSignal
}

export interface ServiceAnswer {
  status: number
  statusText: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Buffer
}

export interface CallOptions {
  /** As variables: `https_proxy` … */
  proxies: Readonly<Record<string, string>>
  /** Milliseconds for which a service may answer that it is asked too often. */
  patience: number
  /** Milliseconds before the second call; doubled each time. */
  delay?: number
}

/** Bytes of an answer. */
const MAX_ANSWER = 1 << 20
/** Calls where a service is broken. */
const ATTEMPTS = 3
const MAX_DELAY = 30_000

/**
 * One call, with its answer in memory. Made again while the service says that it is asked too often, and a few times where it or the network fails. Any status is
 * an answer in the end. Throws UNAVAILABLE when the service cannot be reached, INVALID_ARGUMENT for an address that is none.
 */
export async function callService(call: ServiceCall, { proxies, patience, delay = 1000 }: CallOptions): Promise<ServiceAnswer> {
  const deadline = performance.now() + patience
  let failures = 0
  for (let wait = delay; ; wait = Math.min(wait * 2, MAX_DELAY)) {
    const answer = await callOnce(call, proxies).catch((error: unknown) => {
      if (++failures === ATTEMPTS || call.signal.aborted) throw error
      return undefined
    })
    if (answer !== undefined) {
      if (answer.status >= 500) failures++
      const isToBeRepeated = answer.status === 429 ? performance.now() + wait < deadline : answer.status >= 500 && failures < ATTEMPTS
      if (!isToBeRepeated) return answer
    }
    // The timer's own error would hide why the build ends.
    await sleep(wait, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted())
  }
}

async function callOnce({ url, ...request }: ServiceCall, proxies: CallOptions['proxies']): Promise<ServiceAnswer> {
  const { status, statusText, headers, body } = await requestUrl(serviceUrl(url), { ...request, proxies })
  return { status, statusText, headers, body: await readLimited(body, MAX_ANSWER, 'answer of the cache service') }
}

/** Content from `offset` on, of an address that is its own permission or is asked with `request`'s headers. Throws NOT_FOUND, FORBIDDEN, UNAVAILABLE. */
export async function* download(
  url: string,
  offset: number,
  request: Omit<UrlRequest, 'method' | 'body'>,
): AsyncGenerator<Buffer, void, void> {
  const range = offset === 0 ? {} : { range: `bytes=${offset}-` }
  const { status, statusText, body } = await requestUrl(serviceUrl(url), { ...request, headers: { ...request.headers, ...range } })
  if (status === (offset === 0 ? 200 : 206)) return yield* body
  // Leaving the loop gives the connection up.
  for await (const _ of body) break
  const code = status === 404 ? 'NOT_FOUND' : status === 401 || status === 403 ? 'FORBIDDEN' : 'UNAVAILABLE'
  throw new EngineError(code, `invalid status response ${status} ${statusText} of the cache service`)
}

function serviceUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new EngineError('INVALID_ARGUMENT', `invalid address of a cache service: ${JSON.stringify(text.split('?', 1)[0])}`)
  return url
}
