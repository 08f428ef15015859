import { spawn, type ChildProcess } from 'node:child_process'
import { request } from 'node:http'
import { once } from 'node:events'

/** The daemon in the guest, which is a machine of its own: no test host is needed. */
export class GuestEngine {
  readonly #socket = '/run/api.sock'
  /** For `--host`. */
  readonly address: string = `unix://${this.#socket}`
  #daemon: ChildProcess | undefined

  async start(): Promise<void> {
    const daemon = spawn(
      '/opt/gantry/bin/gantry',
      ['daemon', '--data-root', '/var/gantry', '--exec-root', '/run/gantry', '--host', this.address],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    this.#daemon = daemon
    const ready = once(daemon.stdout, 'data').then(() => true)
    const ended = once(daemon, 'exit').then(() => false)
    if (!(await Promise.race([ready, ended]))) throw new Error('the daemon ended instead of becoming ready')
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#daemon === undefined) return
    const ended = once(this.#daemon, 'exit')
    this.#daemon.kill(signal)
    await ended
  }

  /** One request; throws on a status over 399. The body is JSON or a Buffer; so is what comes back, and of a stream of JSON its lines. */
  call(method: string, path: string, body?: unknown): Promise<any> {
    const payload = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const headers = payload === undefined ? {} : { 'Content-Type': Buffer.isBuffer(payload) ? 'application/x-tar' : 'application/json' }
    return new Promise((done, fail) => {
      const call = request({ socketPath: this.#socket, method, path, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', fail)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          if ((response.statusCode ?? 0) > 399) fail(new Error(`${method} ${path}: ${response.statusCode} ${bytes.toString()}`))
          else if (response.headers['content-type']?.startsWith('application/json') === true && bytes.length > 0)
            done(parse(bytes.toString()))
          else done(bytes)
        })
      })
      call.on('error', fail)
      call.end(payload)
    })
  }

  async create(
    command: string[],
    hostConfig: Record<string, unknown> = {},
    of: { image?: string; platform?: string } = {},
  ): Promise<string> {
    const { Id } = await this.call('POST', `/containers/create?platform=${of.platform ?? ''}`, {
      Image: of.image ?? 'starter',
      Cmd: command,
      HostConfig: { NetworkMode: 'none', ...hostConfig },
    })
    return Id
  }

  async begin(id: string): Promise<void> {
    await this.call('POST', `/containers/${id}/start`)
  }

  /** Runs to the end; stdout and stderr together, with the exit code. The container stays. */
  async run(
    command: string[],
    hostConfig: Record<string, unknown> = {},
    of: { image?: string; platform?: string } = {},
  ): Promise<{ id: string; output: string; exitCode: number }> {
    const id = await this.create(command, hostConfig, of)
    await this.begin(id)
    const { StatusCode } = await this.call('POST', `/containers/${id}/wait`)
    return { id, output: demultiplex(await this.call('GET', `/containers/${id}/logs?stdout=1&stderr=1`)), exitCode: StatusCode }
  }

  async remove(id: string): Promise<void> {
    await this.call('DELETE', `/containers/${id}?force=1&v=1`)
  }
}

function parse(text: string): unknown {
  const lines = text.trimEnd().split('\r\n')
  return lines.length > 1 ? lines.map((line) => JSON.parse(line) as unknown) : JSON.parse(text)
}

/** The payloads of Docker's 8-byte frames, one after the other. */
function demultiplex(bytes: Buffer): string {
  let text = ''
  for (let offset = 0; offset + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(offset + 4)
    text += bytes.toString('utf8', offset + 8, offset + 8 + length)
    offset += 8 + length
  }
  return text
}
