import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { jobToken, scopesIn } from './job-token.ts'

interface Entry {
  id: number
  key: string
  version: string
  scope: string
  /** By block or offset, until the entry is committed. */
  pieces: Map<string, Buffer>
  content?: Buffer
}

/**
 * The cache service of GitHub Actions in both versions of its protocol, with the store of blobs behind the second, in memory. Made from the protocol as GitHub's own
 * client and go-actions-cache speak it: entries are written once, are seen by prefix, the newest first, and in the scopes of the token only; what is signed must
 * come without the token.
 */
export class ActionsServer implements AsyncDisposable {
  readonly entries: Entry[] = []
  /** `POST CreateCacheEntry`, `PUT block`, in the order they came. */
  readonly calls: string[] = []
  /** Answers instead of the service: a status, or undefined. */
  fault: (call: string) => number | undefined = () => undefined
  readonly #signature: string = randomUUID()
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response))

  static async start(): Promise<ActionsServer> {
    const server = new ActionsServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  keys(): string[] {
    return this.entries.flatMap(({ key, content }) => (content === undefined ? [] : [key]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await this.#server[Symbol.asyncDispose]()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const { pathname, searchParams: query } = new URL(request.url ?? '', this.url)
    const call = `${request.method} ${query.get('comp') ?? pathname.split('/').at(-1)}`
    this.calls.push(call)
    const status = this.fault(call)
    if (status !== undefined) return void response.writeHead(status).end('{"message":"out of order"}')
    const answer = (code: number, value?: unknown): void =>
      void response.writeHead(code, { 'content-type': 'application/json' }).end(value === undefined ? '' : JSON.stringify(value))
    if (pathname.startsWith('/blobs/')) return this.#blob(request, response, { id: Number(pathname.slice(7)), query, body })
    if (pathname.startsWith('/repos/')) return answer(200, this.#listed(query))
    const scopes = scopesIn(request.headers.authorization)
    if (scopes === undefined) return answer(401, { typeKey: 'UnauthorizedException', message: 'Bad credentials' })
    const asked = (body.length > 0 && request.method === 'POST' ? JSON.parse(body.toString()) : {}) as Asked
    if (pathname.startsWith('/twirp/github.actions.results.api.v1.CacheService/')) return this.#twirp(call, asked, scopes, answer)
    if (pathname.startsWith('/_apis/artifactcache/')) return this.#v1(request, { pathname, query, asked, body }, scopes, answer)
    answer(404, { message: 'no such path' })
  }

  #twirp(call: string, asked: Asked, scopes: Scopes, answer: Answer): void {
    const { key = '', version = '', size_bytes: size = 0 } = asked
    switch (call.slice(5)) {
      case 'GetCacheEntryDownloadURL': {
        const entry = this.#find([key, ...(asked.restore_keys ?? [])], version, scopes)
        if (entry === undefined) return answer(200, { ok: false, signed_download_url: '', matched_key: '' })
        return answer(200, { ok: true, signed_download_url: this.#signed(entry), matched_key: entry.key })
      }
      case 'CreateCacheEntry': {
        const entry = this.#reserve(key, version, scopes)
        if (entry === undefined)
          return answer(409, { code: 'already_exists', msg: 'cache entry with the same key, version, and scope already exists' })
        return answer(200, { ok: true, signed_upload_url: this.#signed(entry) })
      }
      case 'FinalizeCacheEntryUpload': {
        const entry = this.entries.find((candidate) => candidate.key === key && candidate.version === version)
        if (entry?.content?.length !== size) return answer(400, { code: 'invalid_argument', msg: 'size mismatch' })
        return answer(200, { ok: true, entry_id: String(entry.id) })
      }
      default:
        return answer(404, { code: 'bad_route', msg: 'no handler' })
    }
  }

  #v1(
    { method, headers }: IncomingMessage,
    { pathname, query, asked, body }: { pathname: string; query: URLSearchParams; asked: Asked; body: Buffer },
    scopes: Scopes,
    answer: Answer,
  ): void {
    const path = pathname.slice('/_apis/artifactcache/'.length)
    if (method === 'GET' && path === 'cache') {
      const entry = this.#find((query.get('keys') ?? '').split(','), query.get('version') ?? '', scopes)
      return entry === undefined
        ? answer(204)
        : answer(200, { cacheKey: entry.key, scope: entry.scope, archiveLocation: this.#signed(entry) })
    }
    if (method === 'POST' && path === 'caches') {
      const entry = this.#reserve(asked.key ?? '', asked.version ?? '', scopes)
      if (entry !== undefined) return answer(201, { cacheId: entry.id })
      return answer(409, { typeKey: 'ArtifactCacheItemAlreadyExistsException', message: 'Cache already exists.' })
    }
    const entry = this.entries.find(({ id }) => path === `caches/${id}`)
    const start = /^bytes (\d+)-(\d+)\/\*$/.exec(headers['content-range'] ?? '')
    if (entry !== undefined && method === 'PATCH' && Number(start?.[2]) - Number(start?.[1]) + 1 === body.length) {
      entry.pieces.set(String(start?.[1]).padStart(12, '0'), body)
      return answer(204)
    }
    const whole = Buffer.concat([...(entry?.pieces ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, piece]) => piece))
    if (entry === undefined || method !== 'POST' || whole.length !== asked.size) return answer(400, { message: 'bad request' })
    entry.content = whole
    answer(204)
  }

  /** Azure's: signed addresses, and nothing else. */
  #blob({ method, headers }: IncomingMessage, response: ServerResponse, { id, query, body }: BlobCall): void {
    const entry = this.entries.find((candidate) => candidate.id === id)
    // Azure's client relies on it.
    response.setHeader('x-ms-request-id', randomUUID())
    const refuse = (status: number, code: string): void => void response.writeHead(status, { 'x-ms-error-code': code }).end()
    if (query.get('sig') !== this.#signature || headers.authorization !== undefined) return refuse(403, 'AuthenticationFailed')
    if (entry === undefined) return refuse(404, 'BlobNotFound')
    if (method === 'GET') {
      const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
      return void response.writeHead(start === 0 ? 200 : 206).end(entry.content?.subarray(start))
    }
    if (query.get('comp') === 'block') entry.pieces.set(query.get('blockid') ?? '', body)
    else if (query.get('comp') === 'blocklist') {
      const named = [...body.toString().matchAll(/<Latest>(.*?)<\/Latest>/g)].map(([, name = '']) => entry.pieces.get(name))
      if (named.some((piece) => piece === undefined)) return refuse(400, 'InvalidBlockList')
      entry.content = Buffer.concat(named.filter((piece) => piece !== undefined))
    } else if (headers['x-ms-blob-type'] === 'BlockBlob') entry.content = body
    else return refuse(400, 'MissingRequiredHeader')
    response.writeHead(201).end()
  }

  #listed(query: URLSearchParams): object {
    const [prefix, ref, page] = [query.get('key') ?? '', query.get('ref'), Number(query.get('page'))]
    const found = this.entries.filter(({ key, scope, content }) => content !== undefined && scope === ref && key.startsWith(prefix))
    return { total_count: found.length, actions_caches: found.slice((page - 1) * 100, page * 100).map(({ key }) => ({ key })) }
  }

  #find(keys: readonly string[], version: string, scopes: Scopes): Entry | undefined {
    const seen = this.entries.filter(
      (entry) => entry.content !== undefined && entry.version === version && scopes.read.includes(entry.scope),
    )
    for (const key of keys) {
      const found = seen.find((entry) => entry.key === key) ?? seen.findLast((entry) => entry.key.startsWith(key))
      if (found !== undefined) return found
    }
    return undefined
  }

  #reserve(key: string, version: string, { write: scope }: Scopes): Entry | undefined {
    if (this.entries.some((entry) => entry.key === key && entry.version === version && entry.scope === scope)) return undefined
    const entry: Entry = { id: this.entries.length + 1, key, version, scope, pieces: new Map() }
    this.entries.push(entry)
    return entry
  }

  #signed({ id }: Entry): string {
    return `${this.url}blobs/${id}?se=2030&sig=${this.#signature}`
  }

  /** A token of a job that may write to the first scope and read from all. */
  token(scopes: readonly string[] = ['refs/heads/main']): string {
    return jobToken(scopes)
  }
}

interface Asked {
  key?: string
  version?: string
  restore_keys?: readonly string[]
  size_bytes?: number
  size?: number
}

type Scopes = NonNullable<ReturnType<typeof scopesIn>>
type Answer = (status: number, value?: unknown) => void

interface BlobCall {
  id: number
  query: URLSearchParams
  body: Buffer
}
