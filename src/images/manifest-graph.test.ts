import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContentStore } from '#content'
import type { ContentStore } from '#content'
import { digestOf, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest } from '#oci'
import { createManifestGraph } from './manifest-graph.ts'
import { json, makeConfig, platform } from './testing/make-archive.ts'

/** A content store with documents in it, all held. */
async function documents() {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'graph-'))
  const content = createContentStore({ root: directory.path })
  const lease = content.lease()
  async function add(mediaType: string, document: unknown, members: Partial<Descriptor> = {}): Promise<Descriptor> {
    const bytes = Buffer.isBuffer(document) ? document : json(document)
    await content.ingest([bytes], { lease })
    return { mediaType, digest: digestOf(bytes), size: bytes.length, ...members }
  }
  const manifest = (config: Descriptor, members: Partial<Descriptor> = {}) =>
    add(MEDIA_TYPES.ociManifest, { schemaVersion: 2, config, layers: [LAYER] }, members)
  const index = (...manifests: Descriptor[]) => add(MEDIA_TYPES.ociIndex, { schemaVersion: 2, manifests })
  return { content, add, manifest, index, [Symbol.dispose]: () => (lease[Symbol.dispose](), directory.remove()) }
}

const LAYER: Descriptor = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf('a layer'), size: 7 }
const ABSENT: Descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('elsewhere'), size: 9, ...platform('riscv64') }

describe('leaves', () => {
  it('are the manifests of an index and of those in it, each once, here or not', async () => {
    using test = await documents()
    const config = await test.add(MEDIA_TYPES.ociConfig, makeConfig([], { architecture: 'arm', variant: 'v6' }))
    const single = await test.manifest(config)
    const nested = await test.index(single, ABSENT)
    const target = await test.index(nested, nested, single)
    const graph = createManifestGraph(test)
    const leaves = graph.leaves(target)
    assert.deepEqual(
      leaves.map(({ descriptor, kind, manifest }) => [descriptor.digest, kind, manifest?.config.digest]),
      [
        [single.digest, 'image', config.digest],
        [ABSENT.digest, 'image', undefined],
      ],
    )
    assert.deepEqual(
      leaves.map((leaf) => graph.platform(leaf)),
      [{ os: 'linux', architecture: 'arm', variant: 'v6' }, ABSENT.platform],
    )
  })

  it('tell images from attestations and from what is neither', async () => {
    using test = await documents()
    const config = await test.add(MEDIA_TYPES.ociConfig, makeConfig([]))
    const attestation = { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' }, ...platform('unknown') }
    const target = await test.index(
      await test.manifest(config, attestation),
      await test.manifest({ ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' }),
      await test.add('text/plain', Buffer.from('notes')),
      await test.add(MEDIA_TYPES.ociManifest, Buffer.from('no JSON')),
    )
    const kinds = createManifestGraph(test)
      .leaves(target)
      .map(({ kind }) => kind)
    assert.deepEqual(kinds, ['attestation', 'unknown', 'unknown', 'unknown'])
  })
})

describe('closure', () => {
  it('is everything that a target consists of, without what is passed over', async () => {
    using test = await documents()
    const config = await test.add(MEDIA_TYPES.ociConfig, makeConfig([]))
    const single = await test.manifest(config)
    const target = await test.index(single, ABSENT)
    const graph = createManifestGraph(test)
    const closure = (except?: Set<Digest>): Set<Digest> => {
      const found = new Set<Digest>()
      graph.closure(target, found, except)
      return found
    }
    assert.deepEqual(closure(), new Set([target, single, config, LAYER, ABSENT].map(({ digest }) => digest)))
    assert.deepEqual(closure(new Set([single.digest])), new Set([target.digest, ABSENT.digest]))
  })

  it('decodes nothing twice', async () => {
    using test = await documents()
    const target = await test.index(await test.manifest(await test.add(MEDIA_TYPES.ociConfig, makeConfig([]))))
    let reads = 0
    const content: ContentStore = { ...test.content, readAll: (digest, limit) => (reads++, test.content.readAll(digest, limit)) }
    const graph = createManifestGraph({ content })
    for (let i = 0; i < 3; i++) graph.closure(target, new Set())
    assert.equal(reads, 2)
    graph.retain(new Set([target.digest]))
    graph.closure(target, new Set())
    assert.equal(reads, 3)
  })
})
