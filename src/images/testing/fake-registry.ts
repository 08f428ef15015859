import { EngineError, notFound } from '#errors'
import { digestOf, fullName, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, Reference } from '#oci'
import type { RemoteManifest, RemoteRepository, Remotes } from '#remotes'
import { json } from './make-archive.ts'

/** Bytes of a blob that are sent at once. */
const CHUNK = 64 * 1024

/** A registry in memory: every repository has the same blobs and manifests, and tags of its own. Records what it is asked for. */
export class FakeRegistry {
  readonly blobs: Map<Digest, Buffer> = new Map()
  readonly manifests: Map<Digest, RemoteManifest> = new Map()
  /** `registry:5000/app:1` → digest of a manifest. */
  readonly tags: Map<string, Digest> = new Map()
  /** `GET manifest 1`, `HEAD manifest 1`, `GET blob <hex, 12 digits>`, in order. */
  readonly requests: string[] = []
  /** Called before each chunk of a blob: throw to break it, wait to hold it up. */
  beforeChunk: (digest: Digest, offset: number, signal: AbortSignal | undefined) => void | Promise<void> = () => {}

  addBlob(mediaType: string, bytes: Buffer, members: Partial<Descriptor> = {}): Descriptor {
    const digest = digestOf(bytes)
    this.blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length, ...members }
  }

  /** `served`: what the registry says it is. */
  addManifest(document: unknown, served: string, members: Partial<Descriptor> = {}): Descriptor {
    const bytes = Buffer.isBuffer(document) ? document : json(document)
    const descriptor = { mediaType: served, digest: digestOf(bytes), size: bytes.length }
    this.manifests.set(descriptor.digest, { descriptor, bytes })
    return { ...descriptor, ...members }
  }

  /** An image of these layers, which may be compressed; the config names what is inside. */
  addImage(
    config: Buffer,
    layers: readonly Buffer[],
    members: Partial<Descriptor> = {},
    layerType: string = MEDIA_TYPES.dockerLayerGzip,
  ): Descriptor {
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: this.addBlob(MEDIA_TYPES.dockerConfig, config),
      layers: layers.map((layer) => this.addBlob(layerType, layer)),
    }
    return this.addManifest(manifest, MEDIA_TYPES.dockerManifest, members)
  }

  addIndex(manifests: readonly Descriptor[], members: Partial<Descriptor> = {}): Descriptor {
    return this.addManifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }, MEDIA_TYPES.ociIndex, members)
  }

  tag(name: string, { digest }: Pick<Descriptor, 'digest'>): void {
    this.tags.set(name, digest)
  }

  readonly remotes: Pick<Remotes, 'repository'> = { repository: (name) => this.#repository(name) }

  #find(name: Reference, place: { tag: string } | { digest: Digest }): RemoteManifest {
    const digest = 'digest' in place ? place.digest : this.tags.get(`${fullName(name)}:${place.tag}`)
    const found = digest === undefined ? undefined : this.manifests.get(digest)
    if (found === undefined) throw notFound('manifest unknown: manifest unknown')
    return found
  }

  #repository(name: Reference): RemoteRepository {
    const unused = (): never => {
      throw new EngineError('NOT_IMPLEMENTED', 'a fake registry takes nothing')
    }
    const shown = (place: { tag: string } | { digest: Digest }): string => ('tag' in place ? place.tag : place.digest)
    return {
      name,
      resolve: async (place) => {
        this.requests.push(`HEAD manifest ${shown(place)}`)
        return this.#find(name, place).descriptor
      },
      fetchManifest: async (place) => {
        this.requests.push(`GET manifest ${shown(place)}`)
        return this.#find(name, place)
      },
      fetchBlob: (descriptor, options) => this.#sendBlob(descriptor.digest, options?.signal),
      hasBlob: async (digest) => this.blobs.has(digest),
      tags: () => this.#tags(name),
      pushBlob: unused,
      pushManifest: unused,
      referrers: unused,
    }
  }

  async *#tags(name: Reference): AsyncGenerator<string, void, void> {
    const prefix = `${fullName(name)}:`
    for (const tag of this.tags.keys()) if (tag.startsWith(prefix)) yield tag.slice(prefix.length)
  }

  async *#sendBlob(digest: Digest, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, void> {
    this.requests.push(`GET blob ${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`)
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) throw notFound('blob unknown to registry')
    for (let offset = 0; offset < bytes.length; offset += CHUNK) {
      await this.beforeChunk(digest, offset, signal)
      signal?.throwIfAborted()
      yield bytes.subarray(offset, offset + CHUNK)
    }
  }
}
