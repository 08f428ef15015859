/** Pushes where layer blobs are not kept after they are unpacked. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DockerRegistry, Engine, eventually, OciLayout, starterImage } from '../../harness/index.ts'

describe('an image whose layer blobs are discarded', () => {
  const undo = new AsyncDisposableStack()
  let engine: Engine
  let registry: DockerRegistry
  let other: DockerRegistry
  let digest = ''

  const raw = (name: string): any => JSON.parse(engine.host.must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${name}`]))
  const inspect = (name: string, format: string): string => engine.mustDocker('inspect', '--format', format, name)

  before(async () => {
    engine = undo.use(await Engine.start({ flags: ['--storage-opt', 'gantry.layer-blobs=discard'] }))
    registry = undo.use(await DockerRegistry.start({ host: engine.host, port: 5000 }))
    other = undo.use(await DockerRegistry.start({ host: engine.host, port: 5001 }))
    const layout = new OciLayout(join(engine.directory, 'layout'))
    const tar = readFileSync(starterImage())
    const image = layout.addImage([{ tar, bytes: gzipSync(tar, { level: 9 }), type: 'tar+gzip' }], { config: { Env: ['PATH=/bin'] } })
    digest = image.digest
    layout.name('1', image)
    const to = `docker://${registry.domain}/app:1`
    engine.host.must(['skopeo', 'copy', '-q', '--preserve-digests', '--dest-tls-verify=false', `oci:${layout.directory}:1`, to])
    engine.mustDocker('pull', `${registry.domain}/app:1`)
    const [layer] = raw(`${registry.domain}/app:1`).layers
    const blob = join(engine.dataRoot, 'content/blobs/sha256', layer.digest.slice('sha256:'.length))
    // It stays until the unpacked files are on the disk; then the next collection takes it.
    await eventually(() => {
      engine.mustDocker('image', 'prune', '-f')
      assert.equal(existsSync(blob), false)
    })
  })
  after(() => undo.disposeAsync())

  it('keeps its digest where the registry has the layers', () => {
    for (const name of ['copy:1', 'app:2']) {
      engine.mustDocker('tag', `${registry.domain}/app:1`, `${registry.domain}/${name}`)
      assert.ok(engine.mustDocker('push', `${registry.domain}/${name}`).includes(`digest: ${digest} `), name)
    }
  })

  it('gets a new manifest elsewhere, and is the same image there', () => {
    const name = `${other.domain}/app:1`
    engine.mustDocker('tag', `${registry.domain}/app:1`, name)
    const id = inspect(name, '{{.Id}}')
    assert.match(engine.mustDocker('push', name), /: Pushed\n/)
    assert.equal(raw(name).config.digest, id)
    // What it is there it stays: another push finds everything.
    const made = inspect(name, '{{.Descriptor.digest}}')
    assert.notEqual(made, digest)
    engine.mustDocker('tag', name, `${other.domain}/app:2`)
    assert.ok(engine.mustDocker('push', `${other.domain}/app:2`).includes(`digest: ${made} `))
    engine.mustDocker('rmi', '-f', id)
    engine.mustDocker('pull', name)
    assert.equal(inspect(name, '{{.Id}}'), id)
    assert.equal(engine.mustDocker('run', '--rm', name, 'echo', 'hi'), 'hi')
  })
})
