import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRegistry, openFileStorage } from '#registry'
import { RegistryClient } from './registry-client.ts'

/** A registry to be checked; empty, with deleting switched on. */
export interface Target extends AsyncDisposable {
  client: RegistryClient
}

export async function startGantry(): Promise<Target> {
  const root = await mkdtemp(join(tmpdir(), 'gantry-conformance-'))
  const registry = createRegistry({ storage: await openFileStorage({ root, sync: false }) })
  const { port } = await registry.listen({ host: '127.0.0.1', port: 0 })
  return {
    client: new RegistryClient(`http://127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      await registry.close({ grace: 100 })
      await rm(root, { recursive: true })
    },
  }
}

/** Debian's docker-registry. */
export async function startDockerRegistry(): Promise<Target> {
  await using undo = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'gantry-conformance-'))
  undo.defer(() => rm(root, { recursive: true }))
  const address = `127.0.0.1:${await freePort()}`
  const config = join(root, 'config.json')
  const storage = { filesystem: { rootdirectory: join(root, 'data') }, delete: { enabled: true } }
  await writeFile(config, JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: address } }))
  const program = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  undo.defer(async () => {
    if (program.exitCode !== null || program.signalCode !== null) return
    program.kill()
    await once(program, 'exit')
  })
  const client = new RegistryClient(`http://${address}`)
  await untilItAnswers(client)
  const held = undo.move()
  return { client, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

/** One that runs already. */
export function useRunning(url: string): Target {
  return { client: new RegistryClient(url), [Symbol.asyncDispose]: () => Promise.resolve() }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function untilItAnswers(client: RegistryClient): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send('GET', '/v2/')
      return
    } catch (error) {
      if (attempt === 100) throw error
      await sleep(50)
    }
  }
}
