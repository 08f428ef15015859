/** Archives of other programs are loaded, and other programs read ours: buildah, skopeo, Debian's dockerd. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Engine, eventually, OciLayout, starterImage } from '../../harness/index.ts'
import type { LayoutDescriptor } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'

describe('archives', () => {
  const undo = new AsyncDisposableStack()
  let engine: Engine
  let directory = ''

  const path = (name: string): string => join(directory, name)
  const inspect = (name: string): any => JSON.parse(engine.mustDocker('inspect', name))[0]
  const load = (archive: string): string => engine.mustDocker('load', '-i', path(archive))

  before(async () => {
    engine = undo.use(await Engine.start())
    directory = join(engine.directory, 'archives')
    mkdirSync(directory)
    engine.loadStarter()
  })
  after(() => undo.disposeAsync())

  describe('of buildah', () => {
    const buildah = (...args: string[]): string =>
      engine.host.must(['buildah', '--root', path('storage'), '--runroot', path('run'), '--storage-driver', 'vfs', ...args]).trim()

    before(() => {
      writeFileSync(path('message'), 'made by buildah\n')
      const base = buildah('from', 'scratch')
      buildah('add', base, starterImage(), '/')
      buildah('config', '--cmd', '["cat","/message"]', '--env', 'PATH=/bin', base)
      buildah('commit', '-q', '--rm', base, 'base')
      const made = buildah('from', '--pull-never', 'localhost/base')
      buildah('copy', made, path('message'), '/message')
      buildah('config', '--label', 'tier=test', '--author', 'a tester', made)
      buildah('commit', '-q', '--rm', made, 'made')
      for (const kind of ['docker-archive', 'oci-archive']) buildah('push', '-q', 'made', `${kind}:${path(kind)}:quay.io/made:1`)
    })

    for (const kind of ['docker-archive', 'oci-archive']) {
      it(`as ${kind} load and run`, () => {
        assert.match(load(kind), /^Loaded image: quay\.io\/made:1$/m)
        assert.equal(engine.mustDocker('run', '--rm', 'quay.io/made:1'), 'made by buildah')
        const { Author, Config, Id } = inspect('quay.io/made:1')
        assert.deepEqual(
          [Author, Config.Labels.tier, Id],
          ['a tester', 'test', `sha256:${buildah('images', '-q', '--no-trunc', 'made').replace('sha256:', '')}`],
        )
        engine.mustDocker('rmi', 'quay.io/made:1')
      })
    }

    it('as oci-archive keep their manifest', () => {
      const manifest = engine.host.must(['skopeo', 'inspect', '--raw', `oci-archive:${path('oci-archive')}`])
      load('oci-archive')
      assert.equal(inspect('quay.io/made:1').Descriptor.digest, digestOf(manifest))
      engine.mustDocker('save', '-o', path('again'), 'quay.io/made:1')
      assert.equal(engine.host.must(['skopeo', 'inspect', '--raw', `oci-archive:${path('again')}`]), manifest)
      engine.mustDocker('rmi', 'quay.io/made:1')
    })
  })

  describe('of ours', () => {
    it('are docker-archives and oci-archives to skopeo, with manifest or without', () => {
      const layout = new OciLayout(path('layout'))
      const bytes = tar([{ name: 'hello', data: Buffer.from('hello\n') }])
      const image = layout.addImage([{ tar: bytes, bytes: gzipSync(bytes), type: 'tar+gzip' }])
      writeLayout(layout, 'kept.tar', { ...image, annotations: { 'io.containerd.image.name': 'docker.io/library/kept:1' } })
      load('kept.tar')
      for (const name of ['kept:1', 'starter:latest']) {
        engine.mustDocker('save', '-o', path('ours'), name)
        const { Id } = inspect(name)
        for (const source of [`docker-archive:${path('ours')}:${name}`, `oci-archive:${path('ours')}`]) {
          const to = `dir:${path('copied')}`
          engine.host.must(['skopeo', 'copy', '-q', source, to])
          const manifest = JSON.parse(engine.host.must(['skopeo', 'inspect', '--raw', to]))
          assert.equal(manifest.config.digest, Id, source)
        }
      }
    })

    it('with several images load again whole', () => {
      engine.mustDocker('tag', 'starter', 'several:1')
      engine.mustDocker('tag', 'starter', 'several:2')
      engine.mustDocker('save', '-o', path('several'), 'several', 'kept:1')
      engine.mustDocker('rmi', 'several:1', 'several:2', 'kept:1')
      assert.deepEqual(load('several').split('\n').sort(), ['Loaded image: kept:1', 'Loaded image: several:1', 'Loaded image: several:2'])
    })
  })

  describe('with several platforms', () => {
    it('load one, or all, and save what is asked for', () => {
      const layout = new OciLayout(path('platforms'))
      const [amd64, arm64] = ['amd64', 'arm64'].map((architecture) => {
        const bytes = tar([{ name: 'arch', data: Buffer.from(architecture) }])
        const image = layout.addImage([{ tar: bytes, bytes: gzipSync(bytes), type: 'tar+gzip' }], { architecture })
        return { ...image, platform: { os: 'linux', architecture } }
      })
      const index = layout.addIndex([amd64!, arm64!])
      writeLayout(layout, 'platforms.tar', { ...index, annotations: { 'io.containerd.image.name': 'docker.io/library/p:1' } })
      engine.mustDocker('load', '--platform', 'linux/arm64', '-i', path('platforms.tar'))
      assert.equal(inspect('p:1').Architecture, 'arm64')
      load('platforms.tar')
      assert.equal(inspect('p:1').Architecture, 'amd64')
      assert.equal(inspect('p:1').Descriptor.digest, index.digest)
      engine.mustDocker('create', '--platform', 'linux/arm64', '--name', 'other', 'p:1', 'x')
      assert.equal(inspect('other').Image, configOf(layout, arm64!))
      engine.mustDocker('rm', 'other')
      engine.mustDocker('save', '--platform', 'linux/arm64', '-o', path('one'), 'p:1')
      assert.equal(digestOf(engine.host.must(['skopeo', 'inspect', '--raw', `oci-archive:${path('one')}`])), arm64!.digest)
      engine.mustDocker('save', '-o', path('all'), 'p:1')
      assert.equal(digestOf(engine.host.must(['skopeo', 'inspect', '--raw', `oci-archive:${path('all')}`])), index.digest)
      engine.mustDocker('rmi', '--platform', 'linux/arm64', 'p:1')
      const failed = engine.docker(['save', '--platform', 'linux/arm64', '-o', path('none'), 'p:1'])
      assert.match(failed.stderr, /image with reference p:1 was found but does not provide the specified platform \(linux\/arm64\)/)
    })
  })

  describe("of Debian's dockerd", () => {
    const socket = (): string => path('docker.sock')
    const peer = (...args: string[]): string => engine.host.must(['docker', '-H', `unix://${socket()}`, ...args]).trim()
    const peerUndo = new AsyncDisposableStack()

    before(async () => {
      const options = ['--bridge', 'none', '--iptables=false', '--storage-driver', 'vfs', '--pidfile', path('docker.pid')]
      const [program = '', ...args] = engine.host.wrap([
        'dockerd',
        '--data-root',
        path('docker'),
        '--exec-root',
        path('docker-run'),
        '-H',
        `unix://${socket()}`,
        ...options,
      ])
      const daemon = spawn(program, args, { stdio: 'ignore', env: { ...process.env, DOCKER_RAMDISK: 'true' } })
      peerUndo.defer(async () => {
        const ended = once(daemon, 'exit')
        daemon.kill('SIGTERM')
        await ended
      })
      await eventually(() => engine.host.must(['docker', '-H', `unix://${socket()}`, 'version']))
    })
    after(() => peerUndo.disposeAsync())

    it('go there and come back', () => {
      for (const name of ['starter:latest', 'kept:1']) {
        engine.mustDocker('save', '-o', path('for-docker'), name)
        assert.equal(peer('load', '-i', path('for-docker')), `Loaded image: ${name}`)
        assert.equal(peer('inspect', '--format', '{{.Id}}', name), inspect(name).Id)
        const renamed = `from-docker-${name}`
        peer('tag', name, renamed)
        peer('save', '-o', path('from-docker'), renamed)
        assert.equal(load('from-docker'), `Loaded image: ${renamed}`)
        assert.equal(inspect(renamed).Id, inspect(name).Id)
      }
      assert.equal(engine.mustDocker('run', '--rm', 'from-docker-starter', 'echo', 'hi'), 'hi')
    })
  })

  function writeLayout(layout: OciLayout, name: string, entry: LayoutDescriptor): void {
    writeFileSync(join(layout.directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
    engine.host.must(['tar', '-C', layout.directory, '-cf', path(name), '.'])
  }

  function configOf(layout: OciLayout, { digest }: LayoutDescriptor): string {
    return JSON.parse(engine.host.must(['cat', join(layout.directory, 'blobs/sha256', digest.slice('sha256:'.length))])).config.digest
  }
})

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
