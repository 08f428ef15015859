/**
 * A volume plugin of the Docker plugin protocol, version 1: keeps its volumes as directories and remembers every call. Only for tests.
 * Source: docs.docker.com, "Docker volume plugins".
 */
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'

interface Call {
  method: string
  name: string
  id: string
}

export class TestPlugin implements AsyncDisposable {
  readonly calls: Call[] = []
  /** Text of an error for a method. */
  readonly failures: Map<string, string> = new Map()
  readonly #volumes = new Map<string, { users: Set<string>; options: Record<string, string> }>()
  readonly #directory: string
  #server: Server | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** `where`: path of a socket, or a port of 127.0.0.1. */
  async listen(where: string | number): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString() || '{}')
        const answer = this.#answer(request.url?.slice(1) ?? '', body)
        response.writeHead('Err' in answer && answer.Err !== '' ? 500 : 200, { 'Content-Type': 'application/vnd.docker.plugins.v1.2+json' })
        response.end(JSON.stringify(answer))
      })
    })
    if (typeof where === 'number') server.listen(where, '127.0.0.1')
    else server.listen(where)
    await once(server, 'listening')
    this.#server = server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }

  /** Who has a volume mounted. */
  users(name: string): string[] {
    return [...(this.#volumes.get(name)?.users ?? [])]
  }

  /** As if somebody had made it with the plugin's own tools. */
  make(name: string): void {
    mkdirSync(this.#path(name), { recursive: true })
    this.#volumes.set(name, { users: new Set(), options: {} })
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }

  #answer(
    method: string,
    { Name = '', ID = '', Opts = {} }: { Name?: string; ID?: string; Opts?: Record<string, string> },
  ): Record<string, unknown> {
    this.calls.push({ method, name: Name, id: ID })
    const failure = this.failures.get(method)
    if (failure !== undefined) return { Err: failure }
    if (method === 'Plugin.Activate') return { Implements: ['VolumeDriver'] }
    if (method === 'VolumeDriver.Capabilities') return { Capabilities: { Scope: 'global' } }
    if (method === 'VolumeDriver.List') return { Volumes: [...this.#volumes.keys()].map((name) => this.#describe(name)), Err: '' }
    if (method === 'VolumeDriver.Create') {
      this.make(Name)
      this.#volumes.set(Name, { users: new Set(), options: Opts })
      return { Err: '' }
    }
    const volume = this.#volumes.get(Name)
    if (volume === undefined) return { Err: `no such volume: ${Name}` }
    switch (method) {
      case 'VolumeDriver.Get':
        return { Volume: { ...this.#describe(Name), Status: { users: volume.users.size, ...volume.options } }, Err: '' }
      case 'VolumeDriver.Mount':
        volume.users.add(ID)
        return { Mountpoint: this.#path(Name), Err: '' }
      case 'VolumeDriver.Path':
        return { Mountpoint: this.#path(Name), Err: '' }
      case 'VolumeDriver.Unmount':
        volume.users.delete(ID)
        return { Err: '' }
      case 'VolumeDriver.Remove':
        this.#volumes.delete(Name)
        rmSync(this.#path(Name), { recursive: true })
        return { Err: '' }
      default:
        return { Err: `unknown method ${method}` }
    }
  }

  #describe(name: string): object {
    const users = this.#volumes.get(name)?.users.size ?? 0
    return { Name: name, Mountpoint: users > 0 ? this.#path(name) : '', CreatedAt: '2024-05-06T07:08:09Z' }
  }
}
