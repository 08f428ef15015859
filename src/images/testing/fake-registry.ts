import { EngineError, notFound } from '#errors'
import { digestOf, fullName, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, Reference } from '#oci'
import type { FetchBlobOptions, PushBlobOptions, PushedBlob, RemoteManifest, RemoteRepository, Remotes } from '#remotes'
import { json } from './make-archive.ts'

/** Bytes of a blob that are sent at once. */
const CHUNK = 64 * 1024

/** Where a download has come to. */
export interface ChunkToSend extends FetchBlobOptions {
  blob: Pick<Descriptor, 'digest' | 'urls'>
  offset: number
}

/**
 * A registry in memory: every repository has the blobs and manifests that the test adds, those that were pushed to it, and tags of its own. Records what
 * it is asked for.
 */
export class FakeRegistry {
  readonly blobs: Map<Digest, Buffer> = new Map()
  readonly manifests: Map<Digest, RemoteManifest> = new Map()
  /** `registry:5000/app:1` → digest of a manifest. */
  readonly tags: Map<string, Digest> = new Map()
  /** Of what was pushed: which repositories have it. */
  readonly pushed: Map<Digest, Set<string>> = new Map()
  /** `GET manifest 1`, `HEAD manifest 1`, `PUT manifest 1`, `GET|HEAD|PUT blob <hex, 12 digits>`, `mount <hex> from a/b`, in order. */
  readonly requests: string[] = []
  /** Called before each request that writes: throw to answer with an error, wait to hold it up. */
  beforeWrite: (request: string) => void | Promise<void> = () => {}
  /** Called before each chunk of a blob: throw to break it, wait to hold it up. */
  beforeChunk: (chunk: ChunkToSend) => void | Promise<void> = () => {}

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
      throw new EngineError('NOT_IMPLEMENTED', 'a fake registry has no referrers')
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
      fetchBlob: (blob, options) => this.#sendBlob(blob, options ?? {}),
      hasBlob: async (digest) => {
        this.requests.push(`HEAD blob ${short(digest)}`)
        return this.#has(name, digest)
      },
      tags: () => this.#tags(name),
      pushBlob: (options) => this.#pushBlob(name, options),
      pushManifest: async (place, { mediaType, bytes }) => {
        await this.#write(`PUT manifest ${shown(place)}`)
        const [absent] = namedIn(bytes).filter((digest) => !this.#has(name, digest))
        if (absent !== undefined) throw new EngineError('INVALID_ARGUMENT', `blob unknown to registry: ${absent}`)
        const { digest } = this.addManifest(bytes, mediaType)
        this.#add(name, digest)
        if ('tag' in place) this.tags.set(`${fullName(name)}:${place.tag}`, digest)
        return digest
      },
      statBlob: unused,
      referrers: unused,
    }
  }

  async #write(request: string): Promise<void> {
    this.requests.push(request)
    await this.beforeWrite(request)
  }

  #has(name: Reference, digest: Digest): boolean {
    const places = this.pushed.get(digest)
    return (this.blobs.has(digest) || this.manifests.has(digest)) && (places === undefined || places.has(fullName(name)))
  }

  #add(name: Reference, digest: Digest): void {
    const places = this.pushed.get(digest) ?? new Set()
    this.pushed.set(digest, places.add(fullName(name)))
  }

  async #pushBlob(name: Reference, { digest, mountFrom, open, signal, progress, result }: PushBlobOptions): Promise<PushedBlob> {
    signal?.throwIfAborted()
    if (digest !== undefined && this.#has(name, digest)) return { kind: 'exists' }
    if (digest !== undefined && mountFrom !== undefined) {
      await this.#write(`mount ${short(digest)} from ${mountFrom}`)
      if (this.#has({ ...name, path: mountFrom }, digest)) {
        this.#add(name, digest)
        return { kind: 'mounted', from: mountFrom }
      }
    }
    await this.#write(`PUT blob ${digest === undefined ? '…' : short(digest)}`)
    const bytes = Buffer.concat(await Array.fromAsync(open(signal)))
    signal?.throwIfAborted()
    progress?.(bytes.length)
    const promised = digest ?? result?.().digest
    if (promised !== digestOf(bytes)) throw new EngineError('INVALID_ARGUMENT', 'provided digest did not match uploaded content')
    this.blobs.set(promised, bytes)
    this.#add(name, promised)
    return { kind: 'uploaded', digest: promised, size: bytes.length }
  }

  async *#tags(name: Reference): AsyncGenerator<string, void, void> {
    const prefix = `${fullName(name)}:`
    for (const tag of this.tags.keys()) if (tag.startsWith(prefix)) yield tag.slice(prefix.length)
  }

  async *#sendBlob(blob: Pick<Descriptor, 'digest' | 'urls'>, options: FetchBlobOptions): AsyncGenerator<Buffer, void, void> {
    this.requests.push(`GET blob ${blob.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`)
    const bytes = this.blobs.get(blob.digest)
    if (bytes === undefined) throw notFound('blob unknown to registry')
    for (let offset = 0; offset < bytes.length; offset += CHUNK) {
      await this.beforeChunk({ ...options, blob, offset })
      options.signal?.throwIfAborted()
      yield bytes.subarray(offset, offset + CHUNK)
    }
  }
}

function short(digest: Digest): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12)
}

/** What a registry wants to have before it takes this manifest or index. */
function namedIn(bytes: Buffer): Digest[] {
  type Named = Pick<Descriptor, 'digest' | 'urls'>
  const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString()) as { config?: Named; layers?: Named[]; manifests?: Named[] }
  const own = layers.filter(({ urls }) => urls === undefined)
  return [...(config === undefined ? [] : [config]), ...own, ...manifests].map(({ digest }) => digest)
}
