/** A real server on a socket in a temporary directory, and two clients for it: one for requests, one for raw bytes. */

import { mkdtempSync, rmSync } from 'node:fs'
import { request, type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiServer, createHttpServer, type ApiServer } from '../api-server.ts'
import type { ApiServerDeps } from '../backend.ts'
import { fakeDeps, type FakeServices } from './fake-services.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** Body as JSON. */
  json: () => unknown
}

export interface RequestOptions {
  headers?: Record<string, string>
  /** Objects are sent as JSON. */
  body?: object | string | Buffer
}

export interface TestServer extends AsyncDisposable {
  api: ApiServer
  socketPath: string
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** A connection for raw bytes that may be half-closed. */
  connect(): Socket
}

export async function startServer(services: FakeServices = {}, options: Partial<ApiServerDeps> = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-server-'))
  const socketPath = join(directory, 'api.sock')
  const api = createApiServer(fakeDeps(services, options))
  const server = createHttpServer(api)
  const sockets: Socket[] = []
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return {
    api,
    socketPath,
    request: (method, path, requestOptions) => send(socketPath, method, path, requestOptions),
    connect() {
      const socket = connect({ path: socketPath, allowHalfOpen: true })
      sockets.push(socket)
      return socket
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await api.close({ grace: 50 })
      rmSync(directory, { recursive: true })
    },
  }
}

function send(socketPath: string, method: string, path: string, { headers = {}, body }: RequestOptions = {}): Promise<Answer> {
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const type = payload === undefined || headers['Content-Type'] !== undefined ? {} : { 'Content-Type': 'application/json' }
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, agent: false, headers: { ...type, ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) as unknown })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(payload)
  })
}

/** Everything a connection brings until it ends or `enough` says so. */
export function readAll(socket: Socket, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = (): void => {
      socket.off('data', onData)
      resolve(text)
    }
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (enough(text)) settle()
    }
    socket.on('data', onData)
    socket.once('end', settle)
    socket.once('close', settle)
    socket.once('error', reject)
  })
}
