import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf, MEDIA_TYPES, type Digest } from '#oci'
import { createRegistry, type Registry, type RegistryDeps } from '../registry.ts'
import { openFileStorage } from '../storage/file-system/file-storage.ts'
import type { RegistryStorage } from '../storage/types.ts'
import type { RegistryEvent, RequestReport } from '../types.ts'

/** A registry on a temporary directory, with what it told. */
export interface RegistryUnderTest extends AsyncDisposable {
  registry: Registry
  storage: RegistryStorage
  root: string
  url: string
  port: number
  events: RegistryEvent[]
  reports: RequestReport[]
  errors: unknown[]
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Gives its digest. */
  pushBlob(name: string, content: string): Promise<Digest>
  /** An image without layers; gives its digest. */
  pushImage(name: string, reference: string, config?: string): Promise<Digest>
}

export interface UnderTestOptions extends Partial<Omit<RegistryDeps, 'storage'>> {
  /** An existing directory, which stays: the registry after a restart. */
  root?: string
  /** Changes the storage before it is used. */
  wrap?: (storage: RegistryStorage) => RegistryStorage
}

export async function registryUnderTest({ root: existing, wrap, ...deps }: UnderTestOptions = {}): Promise<RegistryUnderTest> {
  const root = existing ?? (await mkdtemp(join(tmpdir(), 'registry-')))
  const opened = await openFileStorage({ root, sync: false })
  const storage = wrap?.(opened) ?? opened
  const [events, reports, errors]: [RegistryEvent[], RequestReport[], unknown[]] = [[], [], []]
  const registry = createRegistry({
    storage,
    events: { publish: (event) => void events.push(event) },
    observer: { started() {}, finished: (report) => void reports.push(report) },
    log: { info() {}, error: (_message, error) => void errors.push(error) },
    ...deps,
  })
  const { port } = await registry.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${port}`
  const send = (path: string, init?: RequestInit): Promise<Response> => fetch(new URL(path, url), init)

  async function pushBlob(name: string, content: string): Promise<Digest> {
    const digest = digestOf(content)
    const response = await send(`/v2/${name}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: content })
    if (response.status !== 201) throw new Error(`push of a blob: ${response.status} ${await response.text()}`)
    return digest
  }

  return {
    registry,
    storage,
    root,
    url,
    port,
    events,
    reports,
    errors,
    fetch: send,
    pushBlob,
    async pushImage(name, reference, config = '{}') {
      await pushBlob(name, config)
      const manifest = imageManifest(config)
      const response = await send(`/v2/${name}/manifests/${reference}`, {
        method: 'PUT',
        body: manifest,
        headers: { 'Content-Type': MEDIA_TYPES.ociManifest },
      })
      if (response.status !== 201) throw new Error(`push of an image: ${response.status} ${await response.text()}`)
      return digestOf(manifest)
    },
    async [Symbol.asyncDispose]() {
      await registry.close({ grace: 100 })
      if (existing === undefined) await rm(root, { recursive: true })
    },
  }
}

/** The manifest of an image that has a config and no layers. */
export function imageManifest(config: string, more: object = {}): string {
  const descriptor = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: Buffer.byteLength(config) }
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: descriptor, layers: [], ...more })
}
