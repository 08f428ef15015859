/** Pulls from Debian's docker-registry, to which skopeo has brought images made by hand. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Engine, starterImage } from '../../harness/engine.ts'
import { eventually } from '../../harness/eventually.ts'
import { OciLayout } from '../../harness/oci-layout.ts'
import { tar } from '../../harness/tar.ts'
import { DockerRegistry } from '../../harness/docker-registry.ts'

const STARTER = readFileSync(starterImage())
const HELLO = tar([{ name: 'hello', data: Buffer.from('hello from a layer\n') }])
/** Large enough that a pull can be met in its middle. */
const BIG = tar([{ name: 'big', data: randomBytes(60 * 1024 * 1024) }])
const CONFIG = { Cmd: ['cat', '/hello'], Env: ['PATH=/bin:/usr/bin'] }

const plain = (bytes: Buffer): Layer => ({ tar: bytes, bytes, type: 'tar' })
const gzip = (bytes: Buffer): Layer => ({ tar: bytes, bytes: gzipSync(bytes, { level: 1 }), type: 'tar+gzip' })
const zstd = (bytes: Buffer): Layer => ({ tar: bytes, bytes: zstdCompressSync(bytes), type: 'tar+zstd' })
type Layer = Parameters<OciLayout['addImage']>[0][number]

describe('pull', () => {
  let engine: Engine
  let registry: DockerRegistry
  let layout: OciLayout
  let digest = ''
  const undo = new AsyncDisposableStack()
  const repository = (): string => `${registry.domain}/app`

  /** Brings an image or index of the layout to the registry, byte for byte. */
  function publish(name: string, descriptor: ReturnType<OciLayout['addImage']>): void {
    layout.name(name, descriptor)
    const copy = ['skopeo', 'copy', '-q', '--all', '--preserve-digests', '--dest-tls-verify=false']
    engine.host.must([...copy, `oci:${layout.directory}:${name}`, `docker://${repository()}:${name}`])
  }

  function gets(kind: 'blobs' | 'manifests'): string[] {
    return registry.requests.filter((line) => line.startsWith('GET ') && line.includes(`/${kind}/`))
  }

  before(async () => {
    engine = undo.use(await Engine.start())
    registry = undo.use(await DockerRegistry.start({ host: engine.host, port: 5000 }))
    layout = new OciLayout(join(engine.directory, 'layout'))
    const image = layout.addImage([gzip(STARTER), zstd(HELLO)], { config: CONFIG })
    digest = image.digest
    publish('1', image)
    publish('plain', layout.addImage([plain(STARTER), plain(HELLO)], { config: CONFIG }))
    const other = layout.addImage([gzip(HELLO)], { architecture: 'arm64' })
    const attestation = layout.add('application/vnd.oci.image.manifest.v1+json', attestationOf(layout, image.digest))
    publish(
      'many',
      layout.addIndex([
        {
          ...attestation,
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
        { ...other, platform: { os: 'linux', architecture: 'arm64' } },
        { ...image, platform: { os: 'linux', architecture: 'amd64' } },
      ]),
    )
    publish('big', layout.addImage([gzip(BIG), gzip(STARTER)]))
  })

  beforeEach(() => registry.forgetRequests())
  after(() => undo.disposeAsync())

  it('brings an image by its tag, which then runs', async () => {
    const output = engine.mustDocker('pull', `${repository()}:1`)
    assert.match(
      output,
      new RegExp(`^1: Pulling from app\n[^]*\nDigest: ${digest}\nStatus: Downloaded newer image for ${repository()}:1\n`),
    )
    assert.equal(engine.mustDocker('run', '--rm', `${repository()}:1`), 'hello from a layer')
    const [image] = JSON.parse(engine.mustDocker('inspect', `${repository()}:1`))
    assert.deepEqual(image.RepoDigests, [`${repository()}@${digest}`])
    await registry.forgetRequests()
    assert.match(engine.mustDocker('pull', `${repository()}:1`), /Status: Image is up to date for/)
    await registry.settled()
    assert.deepEqual([gets('blobs'), gets('manifests')], [[], []])
  })

  it('brings an image by its digest', () => {
    const name = `${repository()}@${digest}`
    assert.ok(
      engine.mustDocker('pull', name).startsWith(`${digest}: Pulling from app
`),
    )
    assert.equal(engine.mustDocker('run', '--rm', name), 'hello from a layer')
    const wrong = `${repository()}@sha256:${'0'.repeat(64)}`
    assert.match(engine.docker(['pull', wrong]).stderr, /not found: manifest unknown/)
  })

  it('brings layers that are not compressed', () => {
    engine.mustDocker('pull', `${repository()}:plain`)
    assert.equal(engine.mustDocker('run', '--rm', `${repository()}:plain`), 'hello from a layer')
  })

  it('chooses the platform of an index', () => {
    const name = `${repository()}:many`
    engine.mustDocker('pull', '--platform', 'linux/arm64', name)
    assert.equal(engine.mustDocker('inspect', '-f', '{{.Architecture}}', name), 'arm64')
    engine.mustDocker('pull', name)
    assert.equal(engine.mustDocker('run', '--rm', name), 'hello from a layer')
    const missing = engine.docker(['pull', '--platform', 'linux/s390x', name])
    assert.equal(missing.status, 1)
    assert.match(missing.stderr, /no matching manifest for linux\/s390x in the manifest list entries: not found/)
  })

  it('brings each layer once when several pull at the same time', async () => {
    engine.docker(['rmi', '-f', `${repository()}:big`])
    await registry.forgetRequests()
    const pulls = Array.from({ length: 4 }, () => engine.request('POST', `/images/create?fromImage=${repository()}&tag=big`))
    for (const { text } of await Promise.all(pulls)) assert.match(text, /Status: (Downloaded newer image|Image is up to date)/)
    await registry.settled()
    assert.equal(new Set(gets('blobs')).size, gets('blobs').length)
    assert.ok(gets('blobs').length >= 2)
  })

  it('leaves nothing of a pull whose client goes away, and begins again', async () => {
    engine.docker(['rmi', '-f', `${repository()}:big`])
    const before = await settledFiles(engine)
    // On a machine that halts for a moment the pull may be over before the client has gone: then it is tried again.
    for (let isTooLate = true, rounds = 0; isTooLate; rounds++) {
      assert.ok(rounds < 20, 'the client never goes away in time')
      await startPull(engine, repository(), 'big', () => registry.freeze())
      isTooLate = engine.docker(['inspect', `${repository()}:big`]).status === 0
      registry.thaw()
      if (isTooLate) engine.docker(['rmi', '-f', `${repository()}:big`])
    }
    await eventually(() => assert.deepEqual(files(engine), before))
    assert.equal(engine.docker(['inspect', `${repository()}:big`]).status, 1)
    engine.mustDocker('pull', `${repository()}:big`)
    assert.equal(engine.mustDocker('run', '--rm', `${repository()}:big`, 'wc', '-c', '/big'), `${60 * 1024 * 1024} /big`)
  })

  it('brings all tags', () => {
    const output = engine.mustDocker('pull', '-a', repository())
    for (const tag of ['1', 'plain', 'many', 'big']) assert.ok(output.includes(`${tag}: Pulling from app`), tag)
    assert.equal(engine.mustDocker('images', '-q', repository()).split('\n').length, 4)
  })
})

function attestationOf(layout: OciLayout, subject: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: layout.add('application/vnd.oci.image.config.v1+json', Buffer.from('{"architecture":"unknown","os":"unknown"}')),
      layers: [layout.add('application/vnd.in-toto+json', Buffer.from(JSON.stringify({ subject })))],
    }),
  )
}

/** Blobs, ingests and layers. */
function files(engine: Engine): string[] {
  return ['content/blobs/sha256', 'content/ingest', 'layers']
    .flatMap((path) => readdirSync(join(engine.dataRoot, path)).map((name) => `${path}/${name}`))
    .sort()
}

/** The same when nothing is being pulled and everything thrown away is deleted. */
async function settledFiles(engine: Engine): Promise<string[]> {
  await eventually(() => assert.deepEqual(readdirSync(join(engine.dataRoot, 'tmp/trash')), []))
  return files(engine)
}

/** Pulls until a layer is under way, then goes away. */
function startPull(engine: Engine, name: string, tag: string, underWay: () => void): Promise<void> {
  return new Promise((done, fail) => {
    const call = request({ socketPath: engine.socket, method: 'POST', path: `/images/create?fromImage=${name}&tag=${tag}` }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('"error"')) fail(new Error(text))
        if (!text.includes('"Downloading"')) return
        underWay()
        call.destroy()
      })
      response.on('error', () => {})
      response.on('close', done)
    })
    call.on('error', () => {})
    call.end()
  })
}
