import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Debian's docker-registry on loopback of the test's own network namespace, empty, gone at the end of the block. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:4711`. */
  readonly domain: string
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  await using undo = new AsyncDisposableStack()
  const directory = undo.adopt(mkdtempSync(join(tmpdir(), 'gantry-registry-')), (path) => rmSync(path, { recursive: true, force: true }))
  const domain = `127.0.0.1:${await freePort()}`
  const storage = { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } }
  const path = join(directory, 'config.json') // JSON is YAML
  writeFileSync(path, JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: domain } }))
  const program = spawn('docker-registry', ['serve', path], { stdio: 'ignore' })
  undo.defer(async () => {
    if (program.exitCode !== null || program.signalCode !== null) return
    const exited = once(program, 'exit')
    program.kill('SIGKILL')
    await exited
  })
  for (let attempt = 0; !(await answers(domain)); attempt++) {
    if (attempt === 200) throw new Error('docker-registry does not answer')
    await sleep(25)
  }
  const held = undo.move()
  return { domain, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function answers(domain: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const call = request(`http://${domain}/v2/`, { agent: false }, (response) => {
    response.resume()
    resolve(true)
  })
  call.on('error', () => resolve(false))
  call.end()
  return promise
}
