import { once } from 'node:events'
import { Agent, createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNetworkNamespace } from '#kernel'
import { FaultedBody } from './faulted-body.ts'
import type { TestHost } from './test-host.ts'

/** What happens to a request instead of, or on its way to, the registry. Positions are bytes of a body. */
export type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  | { kind: 'redirect'; to: string }
  /** The answer is passed on up to this byte, then the connection is cut. */
  | { kind: 'cut-response'; at: number }
  /** The request is passed on up to this byte, then both connections are cut. */
  | { kind: 'cut-request'; at: number }
  /** One byte in the middle of the answer is another one. */
  | { kind: 'corrupt-response' }
  /** The same of the request. */
  | { kind: 'corrupt-request' }
  /** The answer has so many bytes more, or less, and a length that says so. */
  | { kind: 'resize-response'; by: number }
  /** The answer comes one byte at a time. */
  | { kind: 'trickle'; everyMs: number }
  | { kind: 'delay'; ms: number }

export interface FaultRule {
  method?: string
  /** Of path and query. */
  path: RegExp
  fault: Fault
  /** Requests that it happens to; all of them when absent. */
  times?: number
}

/** A request as the proxy saw it. */
export interface ProxiedRequest {
  method: string
  path: string
  authorization: string | undefined
  headers: IncomingMessage['headers']
}

const TOKEN = 'token-of-the-fault-proxy'

/**
 * Stands before a registry and makes what goes through it go wrong, request by request. It listens in the network namespace of a test host,
 * where the daemon is, and runs in the test: `proxy.rules.push({ path: /blobs/, fault: { kind: 'cut-response', at: 100 } })`. With `tokens`
 * it guards the registry with bearer tokens that its own `/token` gives to everybody.
 */
export class FaultProxy implements AsyncDisposable {
  /** Of loopback; the proxy listens on every address of the host. */
  readonly domain: string
  readonly port: number
  readonly seen: ProxiedRequest[] = []
  rules: FaultRule[] = []
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })
  readonly #upstream: string
  readonly #tokens: boolean

  private constructor(server: Server, upstream: string, tokens: boolean) {
    this.#server = server
    this.#upstream = upstream
    this.#tokens = tokens
    this.port = (server.address() as AddressInfo).port
    this.domain = `127.0.0.1:${this.port}`
    server.on('request', (incoming, outgoing) => void this.#answer(incoming, outgoing).catch(() => outgoing.destroy()))
  }

  /** `upstream`: `127.0.0.1:5000` in the test's own namespace. */
  static async start(upstream: string, options: { host: TestHost; tokens?: boolean; tls?: ServerOptions }): Promise<FaultProxy> {
    return new FaultProxy(await listenOn(options.host, options.tls), upstream, options.tokens ?? false)
  }

  /** Forgets rules and requests. */
  reset(): void {
    this.rules = []
    this.seen.length = 0
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = incoming
    const { authorization } = incoming.headers
    this.seen.push({ method, path, authorization, headers: incoming.headers })
    const fault = this.#faultOf(method, path)
    if (fault?.kind === 'delay') await sleep(fault.ms)
    if (fault?.kind === 'status') return refuse(incoming, outgoing, fault)
    if (fault?.kind === 'redirect') return refuse(incoming, outgoing, { status: 307, headers: { location: fault.to } })
    if (this.#tokens && path.startsWith('/token')) return void outgoing.end(JSON.stringify({ token: TOKEN, expires_in: 300 }))
    if (this.#tokens && authorization !== `Bearer ${TOKEN}`) {
      const challenge = `Bearer realm="http://${this.domain}/token",service="fault-proxy"`
      return refuse(incoming, outgoing, { status: 401, headers: { 'www-authenticate': challenge } })
    }
    await this.#forward(incoming, outgoing, fault)
  }

  #faultOf(method: string, path: string): Fault | undefined {
    const rule = this.rules.find((rule) => (rule.method ?? method) === method && rule.path.test(path) && rule.times !== 0)
    if (rule?.times !== undefined) rule.times--
    return rule?.fault
  }

  async #forward(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): Promise<void> {
    const { authorization, ...headers } = incoming.headers
    const passed = this.#tokens ? headers : { ...headers, authorization }
    // The registry builds its locations from Host: it is the client's, that the next request comes through here, too.
    const call = httpRequest(`http://${this.#upstream}${incoming.url ?? ''}`, {
      method: incoming.method ?? 'GET',
      headers: Object.fromEntries(Object.entries(passed).filter(([, value]) => value !== undefined)),
      agent: this.#agent,
    })
    const cut = (): void => {
      call.destroy()
      outgoing.destroy()
    }
    outgoing.once('close', () => !outgoing.writableFinished && call.destroy())
    const answered = once(call, 'response') as Promise<[IncomingMessage]>
    answered.catch(() => undefined)
    call.on('error', cut)
    const body = new FaultedBody(fault, 'request', Number(incoming.headers['content-length'] ?? 0))
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      const { bytes, isCut } = body.pass(chunk)
      if (!call.write(bytes)) await Promise.race([once(call, 'drain'), answered])
      if (isCut) return cut()
    }
    call.end()
    const [response] = await answered
    await pass(response, outgoing, fault)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

async function pass(response: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): Promise<void> {
  const headers = { ...response.headers }
  const length = Number(headers['content-length'] ?? 0)
  const by = fault?.kind === 'resize-response' ? fault.by : 0
  if (by !== 0) headers['content-length'] = String(length + by)
  outgoing.writeHead(response.statusCode ?? 500, headers)
  outgoing.flushHeaders()
  const body = new FaultedBody(fault, 'response', length)
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const { bytes, isCut } = body.pass(chunk)
    if (fault?.kind === 'trickle') await trickle(outgoing, bytes, fault.everyMs)
    // What was handed over has to be on its way before the cut: an abandoned socket forgets what it has not sent.
    else await new Promise<void>((done) => void outgoing.write(bytes, () => done()))
    if (isCut || outgoing.destroyed) return void outgoing.destroy()
  }
  outgoing.end(Buffer.alloc(Math.max(by, 0)))
}

async function trickle(outgoing: ServerResponse, bytes: Buffer, everyMs: number): Promise<void> {
  for (const byte of bytes) {
    if (outgoing.destroyed) return
    outgoing.write(Buffer.of(byte))
    await sleep(everyMs)
  }
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, headers = {}, body = '' }: { status: number; headers?: Record<string, string>; body?: string },
): void {
  incoming.resume()
  outgoing.writeHead(status, headers).end(incoming.method === 'HEAD' ? undefined : body)
}

/** A server that notes what it is asked and has nothing: where redirects lead to. */
export class OtherHost implements AsyncDisposable {
  readonly seen: IncomingMessage['headers'][] = []
  readonly domain: string
  readonly #server: Server

  private constructor(server: Server, answer: () => Buffer | undefined) {
    this.#server = server
    this.domain = `127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (incoming, outgoing) => {
      this.seen.push(incoming.headers)
      const body = answer()
      outgoing.writeHead(body === undefined ? 404 : 200).end(body)
    })
  }

  /** `answer`: the content that is asked for; undefined answers 404. */
  static async start(host: TestHost, answer: () => Buffer | undefined): Promise<OtherHost> {
    return new OtherHost(await listenOn(host), answer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A server of this process that listens in the namespace of a test host. */
async function listenOn(host: TestHost, tls?: ServerOptions): Promise<Server> {
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  // Without a host name node listens at once, within the call: a look-up would come back in the wrong namespace.
  inNetworkNamespace(`/proc/${host.pid}/ns/net`, () => server.listen(0))
  if (!server.listening) await once(server, 'listening')
  return server
}
