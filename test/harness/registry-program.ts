import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './engine.ts'
import type { TestHost } from './test-host.ts'

/** Names and addresses that {@link makeCertificates} makes certificates for, when it is not told others. */
const ALTERNATIVE_NAMES = 'DNS:localhost,DNS:registry.test,IP:127.0.0.1'

/** A `gantry registry serve`, in the namespaces of the test or on a test host. Its files are in `directory`; the content in `directory/root` unless the configuration says otherwise. */
export class RegistryProgram implements AsyncDisposable {
  readonly directory: string
  /** What it has written so far: the log, and on stdout the access log. */
  log = ''
  accessLog = ''
  readonly #host: TestHost | undefined
  #process: ChildProcess | undefined

  private constructor(host: TestHost | undefined) {
    this.#host = host
    this.directory = mkdtempSync(join(tmpdir(), 'gantry-registry-'))
  }

  /** `prepare` writes what the configuration names (certificates, users) and returns the configuration; JSON is YAML. */
  static async start(prepare: (directory: string) => object, host?: TestHost): Promise<RegistryProgram> {
    const registry = new RegistryProgram(host)
    const storage = { filesystem: { rootdirectory: join(registry.directory, 'root') }, delete: { enabled: true } }
    writeFileSync(registry.#config, JSON.stringify({ version: '0.1', storage, ...prepare(registry.directory) }))
    try {
      await registry.start()
    } catch (error) {
      await registry[Symbol.asyncDispose]()
      throw error
    }
    return registry
  }

  get #config(): string {
    return join(this.directory, 'config.yml')
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Starts it (again). Resolves when it listens. */
  async start(): Promise<void> {
    const command = [join(ROOT, 'bin/gantry'), 'registry', 'serve', '--config', this.#config]
    const [program = '', ...args] = this.#host?.wrap(command) ?? command
    const running = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = running
    running.stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text))
    running.stdout.setEncoding('utf8').on('data', (text: string) => (this.accessLog += text))
    const ready = once(running.stdout, 'data').then(() => true)
    if (!(await Promise.race([ready, once(running, 'exit').then(() => false)]))) throw new Error(`The registry did not start:\n${this.log}`)
  }

  /** Resolves with the exit code; null after SIGKILL. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' = 'SIGTERM'): Promise<number | null> {
    const running = this.#process
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return running?.exitCode ?? null
    const ended = once(running, 'exit')
    running.kill(signal)
    await ended
    return running.exitCode
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** `gantry registry garbage-collect` with the same configuration. */
  collect(...flags: string[]): SpawnSyncReturns<string> {
    return spawnSync(join(ROOT, 'bin/gantry'), ['registry', 'garbage-collect', '--config', this.#config, ...flags], { encoding: 'utf8' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/**
 * A server's `tls.crt` and `tls.key` in `directory`, by openssl, and in `directory/certs` the authority's `ca.crt`, as clients want to find it. Called again it
 * renews the server's. `names`: for whom, as openssl's subjectAltName.
 */
export function makeCertificates(directory: string, names: string = ALTERNATIVE_NAMES): { certificate: string; key: string } {
  const script = `cd "$1" && mkdir -p certs && curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes' &&
    { test -e ca.key || openssl req -x509 $curve -subj /CN=test-ca -days 2 -keyout ca.key -out certs/ca.crt; } &&
    openssl req $curve -subj /CN=registry.test -keyout tls.key.new -out tls.csr && printf '%s' "$2" > names &&
    openssl x509 -req -in tls.csr -CA certs/ca.crt -CAkey ca.key -CAserial serial -CAcreateserial -days 2 -extfile names -out tls.crt.new &&
    mv tls.key.new tls.key && mv tls.crt.new tls.crt`
  const made = spawnSync('sh', ['-c', script, 'sh', directory, `subjectAltName=${names}`], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`openssl failed: ${made.stderr}`)
  return { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }
}
