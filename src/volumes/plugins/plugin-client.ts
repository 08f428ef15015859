/** Calls of the Docker plugin protocol: `POST /<Service>.<Method>` with a JSON body each way. Source: docs.docker.com, "Docker Plugin API". */

import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { parseJson, readLimited, retry } from '#lib'
import type { PluginAddress } from './find-plugins.ts'

const MEDIA_TYPE = 'application/vnd.docker.plugins.v1.2+json'
/** A list of very many volumes. */
const MAX_ANSWER = 16 << 20
const MAX_DEPTH = 32

/** A plugin that is just starting again is waited for, this long in all: some seconds. */
const PATIENCE = { attempts: 4, delayMs: 300, factor: 3 }

/** Milliseconds that a call may take. */
export const SHORT = 60_000
export const LONG = 120_000

export interface CallOptions {
  /** Milliseconds. */
  timeout: number
  /** Try again while nobody listens. */
  patient: boolean
}

/** An answer of a plugin that is no success; its text is the plugin's own. */
export class PluginError extends Error {
  override readonly name = 'PluginError'
}

/** One plugin, reached anew for each call: it may have been started again meanwhile. */
export class PluginClient {
  readonly #plugin: PluginAddress

  constructor(plugin: PluginAddress) {
    this.#plugin = plugin
  }

  /** Throws {@link PluginError} for what the plugin refuses, Error when it cannot be reached or talks nonsense. */
  async call(method: string, body: object, { timeout, patient }: CallOptions): Promise<Record<string, unknown>> {
    const once = (): Promise<Record<string, unknown>> => this.#once(method, JSON.stringify(body), timeout)
    return patient ? await retry(once, { ...PATIENCE, retryable: isUnreachable }) : await once()
  }

  async #once(method: string, body: string, timeout: number): Promise<Record<string, unknown>> {
    const response = await this.#send(method, body, timeout)
    const text = await readLimited(response, MAX_ANSWER, `answer of plugin ${this.#plugin.name}`)
    const answer = decode(text)
    const told = typeof answer?.['Err'] === 'string' ? answer['Err'] : ''
    if (response.statusCode !== 200) throw new PluginError(`${method}: ${told || text.toString('utf8', 0, 1000).trim()}`)
    if (told !== '') throw new PluginError(told)
    if (answer === undefined) throw new Error(`${method}: plugin ${this.#plugin.name} answered no JSON object`)
    return answer
  }

  #send(method: string, body: string, timeout: number): Promise<IncomingMessage> {
    const { address } = this.#plugin
    const headers = { Accept: MEDIA_TYPE, 'Content-Type': MEDIA_TYPE, 'Content-Length': Buffer.byteLength(body) }
    const options: RequestOptions = { method: 'POST', path: `/${method}`, headers, agent: false, signal: AbortSignal.timeout(timeout) }
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const failed = (error: Error): void =>
      reject(new UnreachableError(`Post ${address}/${method}: ${reason(error, timeout)}`, { cause: error }))
    const request = this.#open(options, resolve)
    request.once('error', failed)
    // An answer that is none (101, a change of protocol nobody asked for) ends without response and without error. After either this does nothing.
    request.once('close', () => failed(new Error('connection closed without an answer')))
    request.end(body)
    return promise
  }

  #open(options: RequestOptions, resolve: (response: IncomingMessage) => void): ReturnType<typeof httpRequest> {
    const { address, tls } = this.#plugin
    if (address.startsWith('unix://')) return httpRequest({ ...options, socketPath: address.slice('unix://'.length) }, resolve)
    const { hostname, port } = new URL(address.replace(/^tcp:/, 'http:'))
    const host = hostname.replace(/^\[|\]$/g, '')
    if (tls === undefined && !address.startsWith('https:')) return httpRequest({ ...options, host, port: port || 80 }, resolve)
    const { verify = true, ca = '', cert = '', key = '' } = tls ?? {}
    return httpsRequest(
      {
        ...options,
        host,
        port: port || 443,
        rejectUnauthorized: verify,
        ...(ca !== '' && { ca: readFileSync(ca) }),
        ...(cert !== '' && { cert: readFileSync(cert), key: readFileSync(key) }),
      },
      resolve,
    )
  }
}

class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** Nobody has got the call yet. */
function isUnreachable(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
  return error instanceof UnreachableError && (code === 'ECONNREFUSED' || code === 'ENOENT')
}

function reason(error: Error, timeout: number): string {
  return error.name === 'TimeoutError' ? `no answer within ${timeout / 1000} seconds` : error.message
}

function decode(text: Buffer): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text, { maxBytes: MAX_ANSWER, maxDepth: MAX_DEPTH })
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
