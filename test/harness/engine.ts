import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventMessage } from '#api'
import { cgroupsOf, removeCgroups } from './cgroups.ts'
import { eventually } from './eventually.ts'
import { TestHost } from './test-host.ts'

export const ROOT: string = resolve(import.meta.dirname, '../..')

export interface Reply {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  /** Parsed body, undefined when it is not JSON. */
  json: any
}

export interface EngineOptions {
  /** Further arguments of `gantry daemon`. */
  flags?: string[]
  /** Use this host instead of a new one; the caller disposes it. */
  host?: TestHost
}

/** A daemon under test on a test host, with data and state in a temporary folder. Disposing checks for leaks and throws on any. */
export class Engine implements AsyncDisposable {
  readonly host: TestHost
  readonly directory: string
  readonly socket: string
  readonly cgroupParent: string
  /** On a tmpfs, as /run is on the machines where engines run. */
  readonly #state: string
  readonly #ownsHost: boolean
  readonly #flags: string[]
  readonly #mountsBefore: Set<string>
  #daemon: ChildProcess | undefined
  #log = ''

  private constructor(host: TestHost, options: EngineOptions) {
    this.host = host
    this.#ownsHost = options.host === undefined
    this.#flags = options.flags ?? []
    this.directory = mkdtempSync(join(tmpdir(), 'gantry-test-'))
    this.#state = mkdtempSync('/dev/shm/gantry-test-')
    this.socket = join(this.directory, 'api.sock')
    this.cgroupParent = `gantry-test-${process.pid}-${this.directory.slice(-6)}`
    this.#mountsBefore = new Set(host.mounts())
  }

  static async start(options: EngineOptions = {}): Promise<Engine> {
    await using undo = new AsyncDisposableStack()
    const host = options.host ?? undo.use(await TestHost.create())
    const engine = new Engine(host, options)
    undo.defer(() => engine.#removeFiles())
    await engine.startDaemon()
    undo.move()
    return engine
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0
  }

  get dataRoot(): string {
    return join(this.directory, 'data')
  }

  get execRoot(): string {
    return join(this.#state, 'exec')
  }

  /** What the daemon has written to stderr so far, over all its lives. */
  get log(): string {
    return this.#log
  }

  /** Starts (or starts again) the daemon and waits for its line of readiness. */
  async startDaemon(): Promise<void> {
    const [program = '', ...args] = this.host.wrap([
      join(ROOT, 'bin/gantry'),
      'daemon',
      ...['--data-root', this.dataRoot, '--exec-root', this.execRoot, '--host', `unix://${this.socket}`],
      ...['--pidfile', join(this.directory, 'gantry.pid'), '--cgroup-parent', `/${this.cgroupParent}`],
      ...this.#flags,
    ])
    const daemon = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#daemon = daemon
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text
      if (process.env['GANTRY_TEST_VERBOSE']) process.stderr.write(text)
    })
    const ready = once(daemon.stdout, 'data').then(() => true)
    const failed = once(daemon, 'exit').then(() => false)
    if (!(await Promise.race([ready, failed, sleep(60_000, false, { ref: false })]))) {
      throw new Error(`The daemon did not become ready:\n${this.#log}`)
    }
  }

  /** Closes our end of the daemon's stderr, as a log reader that crashes does. */
  stopReadingLog(): void {
    this.#daemon?.stderr?.destroy()
  }

  /** Ends the daemon with SIGTERM or SIGKILL; containers go on running. */
  async stopDaemon(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const daemon = this.#daemon
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return daemon?.exitCode ?? null
    const ended = once(daemon, 'exit')
    daemon.kill(signal)
    await ended
    return daemon.exitCode
  }

  #client(
    program: string,
    args: readonly string[],
    options: { input?: string; env?: Record<string, string>; timeout?: number },
  ): SpawnSyncReturns<string> {
    return spawnSync(program, args, {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      timeout: 120_000,
      ...options,
      env: { ...process.env, DOCKER_HOST: `unix://${this.socket}`, DOCKER_CONFIG: join(this.directory, 'docker-config'), ...options.env },
    })
  }

  /** Runs the official docker CLI against this engine. */
  docker(
    args: readonly string[],
    options: { input?: string; env?: Record<string, string>; timeout?: number } = {},
  ): SpawnSyncReturns<string> {
    return this.#client('docker', args, options)
  }

  /** Like `docker`, but a failure throws; returns stdout without the final newline. */
  mustDocker(...args: string[]): string {
    const result = this.docker(args)
    if (result.status !== 0) throw new Error(`docker ${args.join(' ')}: exit ${result.status}: ${result.stderr}${result.stdout}`)
    return result.stdout.replace(/\n$/, '')
  }

  /** Runs our own CLI against this engine. */
  gantry(
    args: readonly string[],
    options: { input?: string; env?: Record<string, string>; timeout?: number } = {},
  ): SpawnSyncReturns<string> {
    return this.#client(join(ROOT, 'bin/gantry'), args, options)
  }

  /** One API request; the body is JSON unless it is a Buffer or a string. */
  request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const raw = body === undefined || Buffer.isBuffer(body) || typeof body === 'string'
    const payload = raw ? body : JSON.stringify(body)
    return new Promise((done, fail) => {
      const call = request(
        {
          socketPath: this.socket,
          method,
          path,
          headers: { ...(payload === undefined || raw ? {} : { 'Content-Type': 'application/json' }), ...headers },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', fail)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            let json: unknown
            try {
              json = JSON.parse(text)
            } catch {
              json = undefined
            }
            done({ status: response.statusCode ?? 0, headers: response.headers, text, json })
          })
        },
      )
      call.on('error', fail)
      call.end(payload)
    })
  }

  /** What has happened up to now, since a time in seconds or from the start; without waiting for more. */
  async events({ since = 0, filters = {} }: { since?: number; filters?: Record<string, string[]> } = {}): Promise<EventMessage[]> {
    const query = new URLSearchParams({ since: String(since), until: (Date.now() / 1000).toFixed(3), filters: JSON.stringify(filters) })
    const { text } = await this.request('GET', `/events?${query.toString()}`)
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    return lines.map((line) => JSON.parse(line) as EventMessage)
  }

  /** Imports the starter image as `starter` (busybox with its applets linked). */
  loadStarter(): void {
    const image = starterImage()
    this.mustDocker('import', '--change', 'CMD ["sh"]', image, 'starter')
  }

  /** What this engine has left behind; empty when clean. To be asked with the daemon stopped and all containers removed. */
  #leaks(): string[] {
    return [
      ...this.host
        .mounts()
        .filter((line) => !this.#mountsBefore.has(line))
        .map((line) => `mount: ${line}`),
      ...this.host
        .interfaces()
        .filter((name) => name.startsWith('veth'))
        .map((name) => `interface: ${name}`),
      ...this.host.processes().map(({ pid, command }) => `process: ${pid} ${command}`),
      ...this.#cgroupsBelow().map((path) => `cgroup: ${path}`),
    ]
  }

  /** The parent itself may stay as long as the daemon lives. */
  #cgroupsBelow(): string[] {
    return cgroupsOf(this.cgroupParent).filter((path) => !path.endsWith(`/${this.cgroupParent}`))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#daemon?.exitCode === null && this.#daemon.signalCode === null) {
        const list = await this.request('GET', '/containers/json?all=1')
        for (const { Id } of list.json as { Id: string }[]) {
          const removed = await this.request('DELETE', `/containers/${Id}?force=1&v=1`)
          // Gone, or going, by its own --rm.
          if (removed.status !== 404 && !removed.text.includes('already in progress')) assert.equal(removed.status, 204, removed.text)
        }
        await this.stopDaemon()
        // Namespaces and cgroups die a moment after their last process.
        await eventually(() => assert.deepEqual(this.#leaks(), []))
      }
    } finally {
      if (this.#ownsHost) await this.host[Symbol.asyncDispose]()
      this.#removeFiles()
    }
  }

  #removeFiles(): void {
    removeCgroups(this.cgroupParent)
    for (const path of [this.directory, this.#state]) rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  }
}

let starter: string | undefined

/** Path of the starter image's root file system tar, made once and kept in ~/.cache/gantry. */
export function starterImage(): string {
  if (starter === undefined) {
    const made = spawnSync(join(ROOT, 'tools/starter-image.sh'), { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`Cannot make the starter image: ${made.stderr}`)
    starter = made.stdout.trim()
  }
  return starter
}
