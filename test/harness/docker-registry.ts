import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hashSync } from 'bcryptjs'
import type { TestHost } from './test-host.ts'

export interface DockerRegistryOptions {
  /** Where it runs; in the namespaces of the test itself when there is none. */
  host?: TestHost
  /** One that is free when there is none: only without `host`. */
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
  #log = ''

  private constructor(domain: string, directory: string, process: ChildProcess) {
    this.domain = domain
    this.#directory = directory
    this.#process = process
    process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
  }

  static async start({ host, port, users }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
    const domain = `127.0.0.1:${port ?? (await freePort())}`
    const onHost = (command: string[]): string[] => host?.wrap(command) ?? command
    const directory = mkdtempSync(join(tmpdir(), 'docker-registry-'))
    const [program = '', ...args] = onHost(['docker-registry', 'serve', writeConfiguration(directory, domain, users)])
    const registry = new DockerRegistry(domain, directory, spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] }))
    const [curl = '', ...question] = onHost(['curl', '-s', '--noproxy', '*', `http://${domain}/v2/`])
    // Without a login it answers 401: that will do.
    for (let attempt = 0; spawnSync(curl, question).status !== 0; attempt++) {
      if (attempt < 200) await sleep(25)
      else {
        await registry[Symbol.asyncDispose]()
        throw new Error('Cannot start docker-registry')
      }
    }
    return registry
  }

  /** What it was asked for so far: `GET /v2/app/manifests/1`, in order. */
  get requests(): string[] {
    return [...this.#log.matchAll(/"([A-Z]+ \S+) HTTP/g)].map(([, request = '']) => request)
  }

  forgetRequests(): void {
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
  writeFileSync(path, JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: domain }, ...auth }))
  return path
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
