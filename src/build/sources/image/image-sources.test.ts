import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Lease } from '#content'
import { EngineError, notFound } from '#errors'
import type { FetchOptions, Image, ImageService, PullOptions, RemoteImage } from '#images'
import { chainIds, digestOf, formatPlatform, fullString } from '#oci'
import type { ImageConfigFile } from '#oci'
import type { ImageSource, LayoutSource } from '../../graph/types.ts'
import type { ClientStore } from '../../session.ts'
import type { ImageRequest } from '../../types.ts'
import { fakeSession, fakeStep } from '../testing/fake-step.ts'
import { createImageSources } from './image-sources.ts'
import type { ImageSources } from './image-sources.ts'

const AMD64 = { os: 'linux', architecture: 'amd64' }
const DIFF_ID = digestOf(Buffer.from('layer'))
const [CHAIN] = chainIds([DIFF_ID])
const CONFIG: ImageConfigFile = { ...AMD64, rootfs: { type: 'layers', diff_ids: [DIFF_ID] } }
const ID = digestOf(Buffer.from('config'))
const TARGET = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digestOf(Buffer.from('index')), size: 5 }
const NAME = 'docker.io/library/alpine:3'
const REQUEST: ImageRequest = { reference: 'alpine:3', platform: AMD64, resolveMode: 'local', name: '[internal] load metadata' }
const SOURCE: ImageSource = { kind: 'image', reference: NAME, platform: AMD64, resolveMode: 'local' }

/** Images of the engine, and of every registry, by full name. */
class FakeImages {
  readonly local: Map<string, Image> = new Map()
  readonly remote: Map<string, RemoteImage> = new Map()
  readonly asked: string[] = []
  lastOptions: FetchOptions | undefined

  addLocal(name: string, members: Partial<Image> = {}): void {
    const image = {
      id: ID,
      config: CONFIG,
      chain: CHAIN,
      repoTags: [],
      repoDigests: [],
      size: 1,
      parent: '' as const,
      lastTagged: 0,
      ...members,
    }
    this.local.set(name, image)
  }

  addRemote(name: string): void {
    const config = { mediaType: '', digest: ID, size: 1 }
    this.remote.set(name, { target: TARGET, manifest: { schemaVersion: 2, config, layers: [] }, config: CONFIG })
  }

  get(name: string): Image {
    const image = this.local.get(name)
    if (image === undefined) throw notFound(`No such image: ${name}`)
    return image
  }

  async resolve(name: string, platform: string): Promise<Image> {
    const image = this.get(name)
    if (platform !== formatPlatform(image.config)) throw notFound('another platform')
    return image
  }

  async inspectRemote(options: FetchOptions): Promise<RemoteImage> {
    const name = fullString(options.reference)
    this.asked.push(`inspect ${name}${options.known === undefined ? '' : ' known'}`)
    this.lastOptions = options
    const image = this.remote.get(name.replace(/@.*/, ''))
    if (image === undefined) throw notFound(`manifest for ${name} not found: manifest unknown`)
    return image
  }

  async fetch(options: Parameters<ImageService['fetch']>[0]): ReturnType<ImageService['fetch']> {
    const image = await this.inspectRemote(options)
    options.progress?.({ layer: DIFF_ID, phase: 'download', current: 5, total: 9, done: false })
    options.progress?.({ layer: DIFF_ID, phase: 'extract', current: 9, total: 9, done: true })
    return { ...image, chain: CHAIN }
  }

  async pull({ reference }: PullOptions): Promise<void> {
    this.asked.push(`pull ${fullString(reference)}`)
    this.addLocal(fullString(reference))
  }
}

function sources(): { images: FakeImages; sources: ImageSources; leases: () => number } {
  const images = new FakeImages()
  let open = 0
  const lease = (): Lease => {
    open++
    return { hold: () => {}, durable: async () => {}, [Symbol.dispose]: () => void open-- }
  }
  return { images, sources: createImageSources({ images, content: { lease } }), leases: () => open }
}

describe('resolveImage', () => {
  it('takes an image that is here, and asks nobody', async () => {
    const { images, sources: made } = sources()
    images.addLocal(NAME)
    const step = fakeStep()
    assert.deepEqual(await made.resolveImage(REQUEST, step), { reference: NAME, digest: ID, config: CONFIG, chain: CHAIN })
    assert.deepEqual([images.asked, step.held], [[], [CHAIN]])
  })

  it('pins an image that came from a registry by what it came as', async () => {
    const { images, sources: made } = sources()
    images.addLocal(NAME, { descriptor: TARGET, repoDigests: [`alpine@${TARGET.digest}`] })
    const { reference, digest } = await made.resolveImage(REQUEST, fakeStep())
    assert.deepEqual([reference, digest], [`${NAME}@${TARGET.digest}`, TARGET.digest])
  })

  it('does not pin an image whose digest is no name of it', async () => {
    const { images, sources: made } = sources()
    images.addLocal(NAME, { descriptor: TARGET })
    assert.equal((await made.resolveImage(REQUEST, fakeStep())).reference, NAME)
  })

  it('asks the registry for what is not here, with the login of the session', async () => {
    const { images, sources: made } = sources()
    images.addRemote(NAME)
    const hosts: string[] = []
    const credentials = { username: 'me' }
    const session = fakeSession({ credentials: async (host) => (hosts.push(host), credentials) })
    assert.deepEqual(await made.resolveImage(REQUEST, fakeStep(session)), {
      reference: `${NAME}@${TARGET.digest}`,
      digest: TARGET.digest,
      config: CONFIG,
    })
    assert.deepEqual([hosts, images.lastOptions?.credentials], [['registry-1.docker.io'], credentials])
  })

  it('asks the registry although the image is here, when told to, or when it is for another platform', async () => {
    const { images, sources: made } = sources()
    images.addLocal(NAME)
    images.addRemote(NAME)
    await made.resolveImage({ ...REQUEST, resolveMode: 'pull' }, fakeStep())
    await made.resolveImage({ ...REQUEST, platform: { os: 'linux', architecture: 'arm64' } }, fakeStep())
    assert.deepEqual(images.asked, [`inspect ${NAME}`, `inspect ${NAME}`])
  })

  it('remembers what a name meant, under a lease, until it is disposed', async () => {
    const { images, sources: made, leases } = sources()
    images.addRemote(NAME)
    await made.resolveImage(REQUEST, fakeStep())
    await made.resolveImage(REQUEST, fakeStep())
    assert.deepEqual([images.asked, leases()], [[`inspect ${NAME}`, `inspect ${NAME} known`], 1])
    await assert.rejects(made.resolveImage({ ...REQUEST, reference: 'nope' }, fakeStep()))
    assert.equal(leases(), 1)
    made[Symbol.dispose]()
    assert.equal(leases(), 0)
  })

  it('puts the whole image into the store for clients of the classic builder, once', async () => {
    const { images, sources: made } = sources()
    const step = fakeStep(fakeSession({ namesImages: true }))
    const { digest, chain } = await made.resolveImage({ ...REQUEST, resolveMode: 'pull' }, step)
    assert.deepEqual([digest, chain], [ID, CHAIN])
    await made.resolveImage(REQUEST, step)
    assert.deepEqual(images.asked, [`pull ${NAME}`])
  })

  it('fails in the words of BuildKit', async () => {
    const { images, sources: made } = sources()
    const prefix = 'failed to resolve source metadata for docker.io/library/nope:latest:'
    const request = { ...REQUEST, reference: 'nope' }
    await assert.rejects(made.resolveImage(request, fakeStep()), {
      code: 'NOT_FOUND',
      message: `${prefix} docker.io/library/nope:latest: not found`,
    })
    const cause = Object.assign(new Error('denied: no'), { errors: [{ code: 'DENIED' }] })
    images.inspectRemote = async () => {
      throw new EngineError('NOT_FOUND', 'pull access denied for nope', { cause })
    }
    const message = `${prefix} pull access denied, repository does not exist or may require authorization: denied: no`
    await assert.rejects(made.resolveImage(request, fakeStep()), { code: 'NOT_FOUND', message })
  })
})

describe('image source', () => {
  it('is known by its layers, wherever it comes from', async () => {
    const { images, sources: made } = sources()
    images.addRemote(NAME)
    const remote = await made.image.identify({ ...SOURCE, resolveMode: 'pull' }, fakeStep())
    images.addLocal(NAME)
    const local = await made.image.identify(SOURCE, fakeStep())
    assert.deepEqual([remote.key, local.key], [CHAIN, CHAIN])
    assert.equal(remote.pinned.reference, `${NAME}@${TARGET.digest}`)
    assert.deepEqual(remote.material, {
      uri: 'pkg:docker/alpine@3?platform=linux%2Famd64',
      digest: { sha256: TARGET.digest.slice('sha256:'.length) },
    })
    assert.deepEqual(local.pinned, { ...SOURCE, chain: CHAIN })
  })

  it('fetches layers under the lease of the step, and tells how far they are', async () => {
    const { images, sources: made } = sources()
    images.addRemote(NAME)
    const step = fakeStep()
    assert.deepEqual(await made.image.fetch({ ...SOURCE, reference: `${NAME}@${TARGET.digest}` }, step), { kind: 'layers', chain: CHAIN })
    assert.deepEqual([images.lastOptions?.lease, step.statuses], [step.lease, [`${DIFF_ID} 5/9`, `extracting ${DIFF_ID} 9/9 done`]])
  })

  it('is what its name meant when a frontend asked', async () => {
    const { images, sources: made } = sources()
    images.addLocal(NAME)
    const { chain } = await made.resolveImage(REQUEST, fakeStep())
    assert.ok(chain)
    images.addLocal(NAME, { chain: digestOf('other layers'), config: { ...CONFIG, rootfs: { type: 'layers', diff_ids: [digestOf('x')] } } })
    const { key, pinned } = await made.image.identify({ ...SOURCE, chain }, fakeStep())
    assert.deepEqual([key, pinned.chain], [CHAIN, CHAIN])
  })

  it('is what its name meant when it was looked up', async () => {
    const { images, sources: made } = sources()
    images.addLocal(NAME)
    const asking = fakeStep()
    const { pinned } = await made.image.identify(SOURCE, asking)
    assert.deepEqual(asking.held, [CHAIN])
    images.addLocal(NAME, { chain: digestOf('other layers') })
    const step = fakeStep()
    assert.deepEqual(await made.image.fetch(pinned, step), { kind: 'layers', chain: CHAIN })
    assert.deepEqual(step.held, [CHAIN])
  })

  it('holds the layers of an image that is here', async () => {
    const { images, sources: made } = sources()
    images.addLocal(`docker.io/library/alpine@${TARGET.digest}`)
    const step = fakeStep()
    const pinned = { ...SOURCE, reference: `${NAME}@${TARGET.digest}`, resolveMode: 'pull' as const }
    assert.deepEqual(await made.image.fetch(pinned, step), { kind: 'layers', chain: CHAIN })
    assert.deepEqual([images.asked, step.held], [[], [CHAIN]])
  })
})

describe('layout source', () => {
  const LAYOUT: LayoutSource = { kind: 'layout', store: 'store', reference: `image@${TARGET.digest}`, platform: AMD64 }

  it('is taken from the client, never from the engine', async () => {
    const { images, sources: made } = sources()
    images.remote.set('/image', { target: TARGET, manifest: { schemaVersion: 2, config: TARGET, layers: [] }, config: CONFIG })
    const stores: string[] = []
    const step = fakeStep(fakeSession({ store: (id) => (stores.push(id), {} as ClientStore) }))
    const { key, material } = await made.layout.identify(LAYOUT, step)
    assert.deepEqual([key, material?.uri], [CHAIN, `pkg:oci/image?digest=${encodeURIComponent(TARGET.digest)}&platform=linux%2Famd64`])
    assert.deepEqual(await made.layout.fetch(LAYOUT, step), { kind: 'layers', chain: CHAIN })
    const { reference, digest } = await made.resolveImage({ ...REQUEST, reference: LAYOUT.reference, layout: 'store' }, step)
    assert.deepEqual([reference, digest, stores], [LAYOUT.reference, TARGET.digest, ['oci:store', 'oci:store', 'oci:store']])
    assert.ok(images.lastOptions?.origin)
  })

  it('must be named by digest', async () => {
    const { sources: made } = sources()
    await assert.rejects(made.layout.identify({ ...LAYOUT, reference: 'image:1' }, fakeStep()), { code: 'INVALID_ARGUMENT' })
  })
})
