import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHost } from '../../harness/test-host.ts'

/** Debian's docker-registry on a test host, empty, without TLS; it ends when disposed, and its files with it. */
export class DockerRegistry implements AsyncDisposable {
  /** `127.0.0.1:5000`, as seen from the host. */
  readonly address: string
  readonly #directory: string
  readonly #process: ChildProcess
  #log = ''

  private constructor(address: string, directory: string, process: ChildProcess) {
    this.address = address
    this.#directory = directory
    this.#process = process
    process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
  }

  static async start(host: TestHost, port = 5000): Promise<DockerRegistry> {
    const directory = mkdtempSync(join(tmpdir(), 'docker-registry-'))
    const address = `127.0.0.1:${port}`
    const config = join(directory, 'config.json')
    const storage = { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } }
    writeFileSync(config, JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: address } }))
    const [program = '', ...args] = host.wrap(['docker-registry', 'serve', config])
    const registry = new DockerRegistry(address, directory, spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] }))
    for (let attempt = 0; host.run(['curl', '-fs', `http://${address}/v2/`]).status !== 0; attempt++) {
      if (attempt < 200) await sleep(25)
      else throw new Error('Cannot start docker-registry')
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
