/** Pushes to Debian's docker-registry; what is there then is looked at with skopeo. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DockerRegistry, Engine, eventually, OciLayout, starterImage } from '../../harness/index.ts'
import type { LayoutDescriptor } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'

const CONFIG = { Cmd: ['cat', '/hello'], Env: ['PATH=/bin:/usr/bin'] }
const layer = (bytes: Buffer): { tar: Buffer; bytes: Buffer; type: string } => ({
  tar: bytes,
  bytes: gzipSync(bytes, { level: 9 }),
  type: 'tar+gzip',
})

describe('push', () => {
  const undo = new AsyncDisposableStack()
  let engine: Engine
  let registry: DockerRegistry
  let first: LayoutDescriptor
  let index: LayoutDescriptor
  let archive = ''

  /** The manifest or index of a tag, byte for byte. */
  function raw(name: string): string {
    return engine.host.must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${registry.domain}/${name}`])
  }

  /** Requests that write. */
  async function writes(): Promise<string[]> {
    await registry.settled()
    return registry.requests.filter((line) => !/^(GET|HEAD) /.test(line))
  }

  const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`
  const repository = (name: string): string => `${registry.domain}/${name}`
  const inspect = (name: string): any => JSON.parse(engine.mustDocker('inspect', repository(name)))[0]

  before(async () => {
    engine = undo.use(await Engine.start())
    registry = undo.use(await DockerRegistry.start({ host: engine.host, port: 5000 }))
    engine.loadStarter()
    const layout = new OciLayout(join(engine.directory, 'layout'))
    const layers = [layer(readFileSync(starterImage())), layer(tar([{ name: 'hello', data: Buffer.from('hello\n') }]))]
    first = layout.addImage(layers, { config: CONFIG })
    const other = layout.addImage([layer(tar([{ name: 'other', data: randomBytes(100_000) }]))], { architecture: 's390x' })
    const statement = layout.add('application/vnd.in-toto+json', Buffer.from('{}'))
    const attestation = layout.add(
      'application/vnd.oci.image.manifest.v1+json',
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: layout.add('application/vnd.oci.image.config.v1+json', Buffer.from('{"architecture":"unknown","os":"unknown"}')),
          layers: [statement],
        }),
      ),
    )
    index = layout.addIndex([
      { ...first, platform: { os: 'linux', architecture: 'amd64' } },
      { ...other, platform: { os: 'linux', architecture: 's390x' } },
      {
        ...attestation,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': first.digest },
      },
    ])
    const entry = { ...index, annotations: { 'io.containerd.image.name': repository('many:1') } }
    writeFileSync(join(layout.directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
    archive = join(engine.directory, 'many.tar')
    engine.host.must(['tar', '-C', layout.directory, '-cf', archive, '.'])
  })

  beforeEach(() => registry.forgetRequests())
  after(() => undo.disposeAsync())

  it('brings an image made here, which comes back as it was', () => {
    const name = repository('starter:1')
    engine.mustDocker('tag', 'starter', name)
    const output = engine.mustDocker('push', name)
    assert.match(
      output,
      new RegExp(`^The push refers to repository \\[${repository('starter')}\\]\n[^]*: Pushed\n1: digest: sha256:[0-9a-f]{64} size: \\d+$`),
    )
    const manifest = raw('starter:1')
    assert.equal(JSON.parse(manifest).mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
    assert.deepEqual(inspect('starter:1').RepoDigests, [`${repository('starter')}@${digestOf(manifest)}`])
    const { Id } = inspect('starter:1')
    engine.mustDocker('rmi', name)
    engine.mustDocker('pull', name)
    assert.equal(inspect('starter:1').Id, Id)
    assert.equal(inspect('starter:1').Descriptor.digest, digestOf(manifest))
    assert.equal(engine.mustDocker('run', '--rm', name, 'echo', 'hi'), 'hi')
  })

  it('sends nothing that the registry has, and says so', async () => {
    const name = repository('starter:2')
    engine.mustDocker('tag', 'starter', name)
    assert.match(engine.mustDocker('push', name), /: Layer already exists\n2: digest: /)
    assert.deepEqual(await writes(), ['PUT /v2/starter/manifests/2'])
    assert.equal(raw('starter:2'), raw('starter:1'))
  })

  it('lets the registry mount what another repository has', async () => {
    const name = repository('team/copy:1')
    engine.mustDocker('tag', 'starter', name)
    assert.match(engine.mustDocker('push', name), /: Mounted from starter\n/)
    const [manifest, ...mounts] = (await writes()).toReversed()
    assert.equal(manifest, 'PUT /v2/team/copy/manifests/1')
    assert.equal(mounts.length, 2)
    for (const mount of mounts) assert.match(mount, /^POST \/v2\/team\/copy\/blobs\/uploads\/\?mount=sha256%3A[0-9a-f]{64}&from=starter$/)
    assert.equal(raw('team/copy:1'), raw('starter:1'))
  })

  it('brings an index with all platforms and attestations, which comes back as it was', () => {
    assert.match(engine.mustDocker('load', '-i', archive), new RegExp(`Loaded image: ${repository('many:1')}`))
    engine.mustDocker('push', repository('many:1'))
    assert.equal(digestOf(raw('many:1')), index.digest)
    engine.host.must([
      'skopeo',
      'copy',
      '-q',
      '--all',
      '--src-tls-verify=false',
      `docker://${repository('many:1')}`,
      `dir:${engine.directory}/copied`,
    ])
    engine.mustDocker('rmi', repository('many:1'))
    engine.mustDocker('pull', repository('many:1'))
    assert.equal(inspect('many:1').Descriptor.digest, index.digest)
    assert.equal(engine.mustDocker('run', '--rm', repository('many:1')), 'hello')
  })

  it('brings one platform of an index when the others are not here, and says so', () => {
    const name = repository('elsewhere:1')
    engine.mustDocker('tag', repository('many:1'), name)
    const { status, stdout, stderr } = engine.docker(['push', name])
    assert.equal(status, 0, stderr)
    assert.match(stdout + stderr, /Not all multiplatform-content is present and only the available single-platform image was pushed/)
    assert.equal(digestOf(raw('elsewhere:1')), first.digest)
    assert.deepEqual(
      new Set(inspect('elsewhere:1').RepoDigests),
      new Set([`${repository('many')}@${index.digest}`, `${repository('elsewhere')}@${first.digest}`]),
    )
  })

  it('brings all tags of a repository', () => {
    for (const tag of ['x', 'y']) engine.mustDocker('tag', 'starter', repository(`all:${tag}`))
    const output = engine.mustDocker('push', '--all-tags', repository('all'))
    assert.match(output, /^x: digest: /m)
    assert.match(output, /^y: digest: /m)
    assert.equal(raw('all:x'), raw('all:y'))
  })

  it("fails with Docker's words", () => {
    const CASES: [string[], RegExp][] = [
      [[repository('nothing:1')], /An image does not exist locally with the tag: .*\/nothing$/m],
      [[repository('starter:nothing')], /tag does not exist: .*\/starter:nothing/],
      [['--platform', 'linux/riscv64', repository('many:1')], /was found but does not provide the specified platform \(linux\/riscv64\)/],
    ]
    for (const [args, words] of CASES) {
      const { status, stdout, stderr } = engine.docker(['push', ...args])
      assert.equal(status, 1)
      assert.match(stdout + stderr, words)
    }
  })

  it('tells what happened', async () => {
    const since = Math.floor(Date.now() / 1000)
    engine.mustDocker('tag', 'starter', repository('event:1'))
    engine.mustDocker('push', repository('event:1'))
    await eventually(async () => {
      const last = (await engine.events({ since, filters: { event: ['push'] } })).at(-1)
      assert.deepEqual([last?.Actor.ID, last?.Actor.Attributes['name']], [repository('event:1'), repository('event')])
    })
  })
})
