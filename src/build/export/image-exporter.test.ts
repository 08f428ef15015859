import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { decodeManifest, digestOf, fullString, hostPlatform, MEDIA_TYPES } from '#oci'
import type { Descriptor, Digest, ImageIndex, ImageManifest } from '#oci'
import type { ContentStore } from '#content'
import { vertex } from '../graph/digest.ts'
import type { StepResult } from '../types.ts'
import { configOf, exportsUnderTest, resultOf } from './testing/exports-under-test.ts'
import type { ExportsUnderTest } from './testing/exports-under-test.ts'

const SECOND = 1000
const TIME = Date.UTC(2024, 0, 2, 3, 4, 5)

function manifestOf(content: ContentStore, digest: Digest): ImageManifest {
  const document = decodeManifest(content.readAll(digest, 1 << 20))
  assert.ok(document.kind === 'manifest')
  return document.manifest
}

function indexOf(content: ContentStore, digest: Digest): ImageIndex {
  const document = decodeManifest(content.readAll(digest, 1 << 20))
  assert.ok(document.kind === 'index')
  return document.index
}

function stepOf(chain: Digest | undefined, createdAt: number, members: Partial<StepResult> = {}): StepResult {
  const id = digestOf(Buffer.from(`${chain} ${createdAt}`))
  return { vertex: id, output: 0, keys: [id], chain, description: 'RUN make', createdAt, isInResult: true, ...members }
}

async function twoSteps(test: ExportsUnderTest): Promise<Digest> {
  const lower = await test.draft(undefined, 'lower', 'one')
  const upper = await test.draft(lower, 'upper', 'two')
  test.steps.push(stepOf(lower, TIME), stepOf(upper, TIME + 5 * SECOND))
  return upper
}

describe('moby exporter', () => {
  it('makes an image of the layers, gives it its names, and tells its id', async () => {
    using test = exportsUnderTest()
    const chain = await twoSteps(test)
    const config = configOf([{ created_by: 'COPY a' }, { created_by: 'ENV b', empty_layer: true }, { created_by: 'RUN make' }])
    const answers = await test.export({ attributes: { name: 'app,r:5000/app:2' } }, resultOf(chain, { config }))
    const image = test.images.get('app:latest')
    assert.deepEqual(image.repoTags, ['app:latest', 'r:5000/app:2'])
    assert.equal(image.descriptor, undefined)
    assert.deepEqual(answers, {
      'containerimage.digest': image.id,
      'containerimage.config.digest': image.id,
      'image.name': 'docker.io/library/app:latest,r:5000/app:2',
    })
    assert.equal(image.config.rootfs.diff_ids.length, 2)
    assert.deepEqual(image.config.history, [
      { created_by: 'COPY a', created: '2024-01-02T03:04:05Z' },
      { created_by: 'ENV b', empty_layer: true, created: '2024-01-02T03:04:10Z' },
      { created_by: 'RUN make', created: '2024-01-02T03:04:10Z' },
    ])
    assert.equal(image.config.created, '2024-01-02T03:04:10Z')
    assert.deepEqual(test.events, [`create ${image.id}`, 'tag app:latest', 'tag r:5000/app:2'])
  })

  it('gives the same image again when its steps come from the cache', async () => {
    using test = exportsUnderTest()
    const chain = await twoSteps(test)
    const first = await test.export({}, resultOf(chain))
    const second = await test.export({}, resultOf(chain))
    assert.deepEqual(second, first)
  })

  it('leaves an image without a name dangling', async () => {
    using test = exportsUnderTest()
    const answers = await test.export({ attributes: { 'dangling-name-prefix': 'moby-dangling' } }, resultOf(await twoSteps(test)))
    assert.deepEqual(test.images.get(answers['containerimage.digest']!).repoTags, [])
  })

  it('shows what it does as BuildKit does', async () => {
    using test = exportsUnderTest()
    const answers = await test.export({ attributes: { name: 'app' } }, resultOf(await twoSteps(test)))
    const names = test.progress.flatMap((event) => (event.kind === 'status' && event.completed !== undefined ? event.id : []))
    assert.deepEqual(names, [
      'exporting layers',
      `writing image ${answers['containerimage.digest']}`,
      'naming to docker.io/library/app:latest',
    ])
    const vertices = test.progress.flatMap((event) => (event.kind === 'vertex' ? [event] : []))
    assert.deepEqual(
      vertices.map(({ name, completed, error }) => [name, completed !== undefined, error]),
      [
        ['exporting to image', false, undefined],
        ['exporting to image', true, undefined],
      ],
    )
  })

  it('makes an image without layers', async () => {
    using test = exportsUnderTest()
    await test.export(
      { attributes: { name: 'empty' } },
      resultOf(undefined, { config: configOf([{ created_by: 'ENV a', empty_layer: true }]) }),
    )
    assert.deepEqual(test.config('empty').rootfs.diff_ids, [])
  })

  it('does not keep an image that is not to be stored', async () => {
    using test = exportsUnderTest()
    await test.export({ attributes: { name: 'app', store: 'false' } }, resultOf(await twoSteps(test)))
    assert.deepEqual(test.images.list({ all: true, filters: { reference: [], label: [], labelNot: [] } }), [])
  })

  it('refuses what it does not know', async () => {
    using test = exportsUnderTest()
    const result = resultOf(undefined)
    await assert.rejects(test.export({ attributes: { nmae: 'x' } }, result), /unknown attribute "nmae" for the moby exporter/)
    await assert.rejects(test.export({ attributes: { compression: 'estargz' } }, result), /estargz is not supported/)
    await assert.rejects(test.export({ attributes: { push: 'maybe' } }, result), /non-bool value specified for push/)
    await assert.rejects(test.export({ type: 'floppy' }, result), /exporter "floppy" could not be found/)
  })
})

describe('moby exporter with epoch', () => {
  it('lets nothing be younger, and gives the same image whenever it is built', async () => {
    using first = exportsUnderTest()
    using second = exportsUnderTest()
    const options = { frontend: { 'build-arg:SOURCE_DATE_EPOCH': '1600000000' } }
    const config = configOf([{ created_by: 'COPY a', created: '2010-01-01T00:00:00Z' }, { created_by: 'RUN make' }])
    const answers = []
    for (const [index, test] of [first, second].entries()) {
      const lower = await test.draft(undefined, 'lower', 'one')
      const upper = await test.draft(lower, 'upper', 'two')
      test.steps.push(stepOf(upper, TIME + index * SECOND))
      answers.push(await test.export({ attributes: { name: 'app' } }, resultOf(upper, { config }), options))
    }
    assert.deepEqual(answers[1], answers[0])
    assert.equal(first.config('app').created, '2020-09-13T12:26:40Z')
    assert.deepEqual(
      first.config('app').history?.map(({ created }) => created),
      ['2010-01-01T00:00:00Z', '2020-09-13T12:26:40Z'],
    )
  })

  it('takes the time that the frontend knows, unless the client says another or none', async () => {
    using test = exportsUnderTest()
    const result = { ...resultOf(await twoSteps(test)), metadata: { 'source.date.epoch': Buffer.from('1600000000') } }
    const created = async (attributes: Record<string, string>, frontend: Record<string, string> = {}): Promise<string | undefined> => {
      await test.export({ attributes: { name: 'app', ...attributes } }, result, { frontend })
      return test.config('app').created
    }
    assert.equal(await created({}), '2020-09-13T12:26:40Z')
    assert.equal(await created({ 'source-date-epoch': '1500000000' }), '2017-07-14T02:40:00Z')
    assert.equal(await created({}, { 'build-arg:SOURCE_DATE_EPOCH': '1500000000' }), '2017-07-14T02:40:00Z')
    assert.equal(await created({ 'source-date-epoch': '' }), '2024-01-02T03:04:10Z')
    await assert.rejects(test.export({}, { ...result, metadata: { 'source.date.epoch': Buffer.from('x') } }), {
      message: 'invalid SOURCE_DATE_EPOCH: x',
    })
  })

  it('says which layers had their times rewritten, in manifests that can', async () => {
    using test = exportsUnderTest()
    const base = await test.snapshotter.seal(await test.draft(undefined, 'base', 'zero'), { lease: test.lease })
    const chain = await test.draft(base, 'own', 'one')
    const annotations = async (attributes: Record<string, string>): Promise<unknown[]> => {
      await test.export(
        { attributes: { name: 'r:5000/app', push: 'true', 'source-date-epoch': '1600000000', ...attributes } },
        resultOf(chain),
      )
      return manifestOf(test.content, test.uploads.at(-1)!.manifests.at(-1)!.digest).layers.map((layer) => layer.annotations)
    }
    assert.deepEqual(await annotations({ 'rewrite-timestamp': 'true' }), [undefined, { 'buildkit/rewritten-timestamp': '1600000000' }])
    assert.deepEqual(await annotations({ 'rewrite-timestamp': 'true', 'oci-mediatypes': 'false' }), [undefined, undefined])
    assert.deepEqual(await annotations({}), [undefined, undefined])
  })
})

describe('moby exporter with push', () => {
  it('uploads a manifest of compressed layers with the login of the client, and tells its digest', async () => {
    using test = exportsUnderTest()
    test.session.logins.set('r:5000', { username: 'me', password: 'secret' })
    const answers = await test.export({ attributes: { name: 'r:5000/app', push: 'true' } }, resultOf(await twoSteps(test)))
    const [upload] = test.uploads
    assert.ok(upload !== undefined)
    assert.equal(fullString(upload.reference), 'r:5000/app:latest')
    assert.deepEqual(upload.credentials, { username: 'me', password: 'secret' })
    const target = upload.manifests.at(-1)!
    assert.equal(answers['containerimage.digest'], target.digest)
    assert.deepEqual(JSON.parse(Buffer.from(answers['containerimage.descriptor']!, 'base64').toString()), target)
    const image = test.images.get('r:5000/app')
    assert.equal(answers['containerimage.config.digest'], image.id)
    assert.equal(image.descriptor?.digest, target.digest)
    const manifest = manifestOf(test.content, target.digest)
    assert.deepEqual(
      manifest.layers.map(({ mediaType }) => mediaType),
      [MEDIA_TYPES.ociLayerGzip, MEDIA_TYPES.ociLayerGzip],
    )
    assert.deepEqual(
      manifest.layers.map(({ digest }) => digestOf(gunzipSync(test.content.readAll(digest, 1 << 20)))),
      image.config.rootfs.diff_ids,
    )
    assert.deepEqual(new Set(upload.blobs.map(({ digest }) => digest)), new Set([image.id, ...manifest.layers.map(({ digest }) => digest)]))
  })

  it('gives no tag when it is by digest', async () => {
    using test = exportsUnderTest()
    await test.export({ attributes: { name: 'r:5000/app', 'push-by-digest': 'true', push: 'true' } }, resultOf(await twoSteps(test)))
    assert.equal(test.uploads[0]?.reference.tag, undefined)
    assert.throws(() => test.images.get('r:5000/app'), /No such image/)
  })

  it('knows the image by its digest, too, where that is wanted', async () => {
    using test = exportsUnderTest()
    await test.export({ attributes: { name: 'r:5000/app', 'name-canonical': 'true' } }, resultOf(await twoSteps(test)))
    const { repoDigests, descriptor } = test.images.get('r:5000/app')
    assert.deepEqual(repoDigests, [`r:5000/app@${descriptor?.digest}`])
  })

  it('writes types of Docker where these are wanted', async () => {
    using test = exportsUnderTest()
    await test.export({ attributes: { name: 'r:5000/app', push: '', 'oci-mediatypes': 'false' } }, resultOf(await twoSteps(test)))
    const manifest = manifestOf(test.content, test.uploads[0]!.manifests.at(-1)!.digest)
    assert.equal(manifest.mediaType, MEDIA_TYPES.dockerManifest)
    assert.equal(manifest.config.mediaType, MEDIA_TYPES.dockerConfig)
    assert.equal(manifest.layers[0]?.mediaType, MEDIA_TYPES.dockerLayerGzip)
  })
})

describe('moby exporter with several platforms', () => {
  it('enters an index, of which this machine has its image and the others are owned', async () => {
    using test = exportsUnderTest()
    const chain = await twoSteps(test)
    const other = { os: 'linux', architecture: 's390x' }
    const [own] = resultOf(chain).images
    const [foreign] = resultOf(chain, { platform: other, config: configOf([], other) }).images
    const result = { images: [foreign!, own!], multiPlatform: true, metadata: {} }
    await test.export({ attributes: { name: 'app', 'annotation-index.a': 'b', 'annotation[linux/s390x].c': 'd' } }, result)
    const image = test.images.get('app')
    const index = indexOf(test.content, image.descriptor!.digest)
    assert.deepEqual(index.annotations, { a: 'b' })
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform?.architecture),
      ['s390x', hostPlatform().architecture],
    )
    const manifests = index.manifests.map(({ digest }) => manifestOf(test.content, digest))
    assert.equal(manifests[1]?.config.digest, image.id)
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations),
      [{ c: 'd' }, undefined],
    )
    assert.equal((await test.images.resolve('app', 'linux/s390x')).id, manifests[0]?.config.digest)
    assert.equal(test.images.list({ all: false, filters: { reference: [], label: [], labelNot: [] } }).length, 1)
    assert.equal(test.events.filter((event) => event.startsWith('create')).length, 1)
  })

  it('refuses an annotation of a platform that is not built', async () => {
    using test = exportsUnderTest()
    const attributes = { name: 'app', 'annotation[linux/riscv64].c': 'd' }
    await assert.rejects(test.export({ attributes }, resultOf(await twoSteps(test))), /no platform linux\/riscv64 found in source/)
  })
})

describe('moby exporter with provenance', () => {
  const MIN = { 'attest:provenance': 'mode=min,inline-only=true', filename: 'Dockerfile' }

  function attestationOf(test: ExportsUnderTest, target: Descriptor): { descriptor: Descriptor; statement: any } {
    const descriptor = indexOf(test.content, target.digest).manifests.at(-1)!
    const [layer] = manifestOf(test.content, descriptor.digest).layers
    return { descriptor, statement: JSON.parse(test.content.readAll(layer!.digest, 1 << 20).toString()) }
  }

  it('leaves it out of an image that is only stored, when it is for manifests that are made anyway', async () => {
    using test = exportsUnderTest()
    await test.export({ attributes: { name: 'app' } }, resultOf(await twoSteps(test)), { frontend: MIN })
    assert.equal(test.images.get('app').descriptor, undefined)
  })

  it('attaches it to what is pushed, as BuildKit does', async () => {
    using test = exportsUnderTest()
    const context = test.context()
    const provenance = { ...context.provenance, options: { ...MIN, 'build-arg:SECRET': 'x', target: 't' } }
    await test.export({ attributes: { name: 'r:5000/app:1', push: 'true' } }, resultOf(await twoSteps(test)), {
      frontend: MIN,
      context: { provenance },
    })
    const target = test.uploads[0]!.manifests.at(-1)!
    const { descriptor, statement } = attestationOf(test, target)
    const [image] = indexOf(test.content, target.digest).manifests
    assert.deepEqual(descriptor.platform, { architecture: 'unknown', os: 'unknown' })
    assert.deepEqual(descriptor.annotations, {
      'vnd.docker.reference.digest': image!.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    })
    assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v0.2')
    assert.deepEqual(statement.subject[0].digest, { sha256: image!.digest.slice('sha256:'.length) })
    assert.match(statement.subject[0].name, /^pkg:docker\/r%3A5000\/app@1\?platform=linux%2F/)
    assert.deepEqual(statement.predicate.invocation.parameters.args, { target: 't' })
    assert.equal(statement.predicate.metadata.completeness.parameters, false)
    assert.equal(statement.predicate.buildConfig, undefined)
    assert.ok(test.images.manifests('r:5000/app:1').some(({ kind }) => kind === 'attestation'))
  })

  it('attaches it as an artifact that registries list by its subject, unless that is unwanted', async () => {
    for (const isArtifact of [true, false]) {
      using test = exportsUnderTest()
      const attributes = { name: 'r:5000/app:1', push: 'true', ...(isArtifact ? {} : { 'oci-artifact': 'false' }) }
      await test.export({ attributes }, resultOf(await twoSteps(test)), { frontend: MIN })
      const [image, attestation] = indexOf(test.content, test.uploads[0]!.manifests.at(-1)!.digest).manifests
      const manifest = JSON.parse(test.content.readAll(attestation!.digest, 1 << 20).toString())
      assert.equal(manifest.artifactType, isArtifact ? 'application/vnd.docker.attestation.manifest.v1+json' : undefined)
      assert.equal(manifest.subject?.digest, isArtifact ? image!.digest : undefined)
      assert.equal(manifest.config.mediaType, isArtifact ? 'application/vnd.oci.empty.v1+json' : MEDIA_TYPES.ociConfig)
      assert.ok(test.uploads[0]!.blobs.some(({ digest }) => digest === manifest.config.digest))
    }
  })

  it('puts what a scanner has found in front of it, about the image where nothing else is said', async () => {
    using test = exportsUnderTest()
    const digest = { sha256: 'a'.repeat(64) }
    const statements = [
      { file: 'sbom.spdx.json', predicateType: 'https://spdx.dev/Document', predicate: { name: 'main' }, subject: [] },
      { file: 'sbom-build.spdx.json', predicateType: 'https://cyclonedx.org/bom', predicate: {}, subject: [{ name: 'other', digest }] },
    ]
    const result = resultOf(await twoSteps(test))
    const images = result.images.map((image) => ({ ...image, statements }))
    await test.export({ attributes: { name: 'app' } }, { ...result, images }, { frontend: { 'attest:provenance': 'mode=max' } })
    const [image, attestation] = indexOf(test.content, test.images.get('app').descriptor!.digest).manifests
    const { layers } = manifestOf(test.content, attestation!.digest)
    const read = layers.map((layer) => JSON.parse(test.content.readAll(layer.digest, 1 << 20).toString()))
    assert.deepEqual(
      layers.map(({ annotations }) => annotations?.['in-toto.io/predicate-type']),
      ['https://spdx.dev/Document', 'https://cyclonedx.org/bom', 'https://slsa.dev/provenance/v0.2'],
    )
    assert.deepEqual(read[0].predicate, { name: 'main' })
    assert.deepEqual(read[0].subject[0].digest, { sha256: image!.digest.slice('sha256:'.length) })
    assert.deepEqual(read[1].subject, [{ name: 'other', digest }])
  })

  it('writes version 1 with everything where it is asked for', async () => {
    using test = exportsUnderTest()
    const frontend = { 'attest:provenance': 'mode=max,version=v1' }
    const context = test.context()
    const provenance = { ...context.provenance, options: { 'build-arg:A': 'b' }, source: { name: 'Dockerfile', text: 'FROM scratch' } }
    await test.export({ attributes: { name: 'app' } }, resultOf(await twoSteps(test)), { frontend, context: { provenance } })
    const { statement } = attestationOf(test, test.images.get('app').descriptor!)
    assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v1')
    const { buildDefinition, runDetails } = statement.predicate
    assert.deepEqual(buildDefinition.externalParameters.request.args, { 'build-arg:A': 'b' })
    assert.equal(runDetails.builder.id, 'https://example.com/gantry')
    assert.equal(runDetails.metadata.buildkit_metadata.layers, undefined)
    assert.equal(Buffer.from(runDetails.metadata.buildkit_metadata.source.infos[0].data, 'base64').toString(), 'FROM scratch')
  })

  it('says which layers steps have left', async () => {
    using test = exportsUnderTest()
    const result = resultOf(await twoSteps(test))
    const graph = test.steps.map(({ vertex: id }) => ({ ...vertex({ kind: 'merge' }, [], { name: '' }), id }))
    const context = { provenance: { ...test.context().provenance, graph } }
    await test.export({ attributes: { name: 'app' } }, result, { frontend: { 'attest:provenance': 'mode=max' }, context })
    const target = test.images.get('app').descriptor!
    const [lower, upper] = manifestOf(test.content, indexOf(test.content, target.digest).manifests[0]!.digest).layers
    const { layers } = attestationOf(test, target).statement.predicate.metadata['https://mobyproject.org/buildkit@v1#metadata']
    assert.deepEqual(layers, { 'step0:0': [[lower]], 'step1:0': [[lower, upper]] })
  })
})
