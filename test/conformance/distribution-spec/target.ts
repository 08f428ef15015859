import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRegistry, openFileStorage } from '#registry'
import { DockerRegistry } from '../../harness/index.ts'
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
export async function startPeer(): Promise<Target> {
  const registry = await DockerRegistry.start()
  return { client: new RegistryClient(`http://${registry.domain}`), [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

/** One that runs already. */
export function useRunning(url: string): Target {
  return { client: new RegistryClient(url), [Symbol.asyncDispose]: () => Promise.resolve() }
}
