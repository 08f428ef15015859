import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { eventually } from './eventually.ts'
import type { TestHost } from './test-host.ts'

export interface DockerRegistryOptions {
  /** Where it runs; in the namespaces of the test itself when there is none. */
  host?: TestHost
  /** One that is free when there is none. */
  port?: number
  /** Passwords by user, without one of which nobody gets in. */
  users?: Record<string, string>
}

/** Enough for a test; every login pays for it. */
const BCRYPT_ROUNDS = 4

/** To be given as `skip`: why there is no docker-registry, or false. */
export function dockerRegistryMissing(): string | false {
  return spawnSync('docker-registry', ['--version']).status === 0 ? false : 'docker-registry is not installed'
}

/** Debian's docker-registry on loopback, empty, without TLS; it ends when disposed, and its files with it. */
export class DockerRegistry implements AsyncDisposable {
  /** `127.0.0.1:5000`, as in references. */
  readonly domain: string
  readonly #directory: string
  readonly #process: ChildProcess
  readonly #onHost: (command: string[]) => string[]
  #log = ''
  #marks = 0

  private constructor(domain: string, directory: string, process: ChildProcess, onHost: (command: string[]) => string[]) {
    this.domain = domain
    this.#directory = directory
    this.#process = process
    this.#onHost = onHost
    process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
  }

  static async start({ host, port = 0, users }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
    const directory = mkdtempSync(join(tmpdir(), 'docker-registry-'))
    const onHost = (command: string[]): string[] => host?.wrap(command) ?? command
    const [program = '', ...args] = onHost(['docker-registry', 'serve', writeConfiguration(directory, `127.0.0.1:${port}`, users)])
    const running = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    try {
      return new DockerRegistry(await listeningAt(running), directory, running, onHost)
    } catch (error) {
      rmSync(directory, { recursive: true, force: true })
      throw error
    }
  }

  /** What it was asked for so far: `GET /v2/app/manifests/1`, in order. It writes of a request when the client has its answer: see {@link settled}. */
  get requests(): string[] {
    return [...this.#log.matchAll(/"([A-Z]+ \S+) HTTP/g)].map(([, request = '']) => request)
  }

  /** Resolves when all that was asked before is among {@link requests}: it is asked something of our own, which comes after it. */
  async settled(): Promise<void> {
    const mark = `/v2/mark-${++this.#marks}`
    const [curl = '', ...question] = this.#onHost(['curl', '-s', '--noproxy', '*', `http://${this.domain}${mark}`])
    spawnSync(curl, question)
    await eventually(() => assert.ok(this.#log.includes(`GET ${mark} `), 'the registry logs what it is asked'))
    this.#log = this.#log
      .split('\n')
      .filter((line) => !line.includes(`GET ${mark} `))
      .join('\n')
  }

  async forgetRequests(): Promise<void> {
    await this.settled()
    this.#log = ''
  }

  /** Stops it where it is, like a registry that hangs. */
  freeze(): void {
    this.#process.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit')
      this.#process.kill('SIGKILL')
      await ended
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** An htpasswd file in `directory`; its path. */
export function writePasswords(directory: string, users: Record<string, string>): string {
  const path = join(directory, 'htpasswd')
  const lines = Object.entries(users).map(([user, password]) => `${user}:${hashSync(password, BCRYPT_ROUNDS)}\n`)
  writeFileSync(path, lines.join(''))
  return path
}

function writeConfiguration(directory: string, domain: string, users: Record<string, string> | undefined): string {
  const path = join(directory, 'config.json') // JSON is YAML
  const storage = { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } }
  const auth = users === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: writePasswords(directory, users) } } }
  writeFileSync(path, JSON.stringify({ version: 0.1, log: { level: 'info' }, storage, http: { addr: domain }, ...auth }))
  return path
}

/** The address in its log: it chooses a free port itself, which nobody can take meanwhile. */
async function listeningAt(registry: ChildProcess): Promise<string> {
  let log = ''
  const found = Promise.withResolvers<string>()
  registry.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text
    const [, domain] = /msg="listening on ([\d.:]+)"/.exec(log) ?? []
    if (domain !== undefined) found.resolve(domain)
  })
  registry.once('exit', () => found.reject(new Error(`Cannot start docker-registry: ${log}`)))
  return await found.promise
}
