/** The policy `gantry.layer-blobs=discard`: images live without their compressed layers, and everything that needs them still works. Needs root. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { checkStore, pull, push } from '../../fault/registry-fixture.ts'
import { makeSmallImage, uploadImage } from '../../fault/small-image.ts'
import { DockerRegistry, Engine, eventually, FaultProxy } from '../../harness/index.ts'

let engine: Engine
let registry: DockerRegistry
let proxy: FaultProxy
const undo = new AsyncDisposableStack()

before(async () => {
  registry = undo.use(await DockerRegistry.start())
  engine = undo.use(await Engine.start({ flags: ['--storage-opt', 'gantry.layer-blobs=discard'] }))
  proxy = undo.use(await FaultProxy.start(registry.domain, { host: engine.host }))
})
after(() => undo.disposeAsync())

/** Blobs of layers: all that are not small. */
function layerBlobs(): string[] {
  return spawnSync('find', [join(engine.dataRoot, 'content/blobs'), '-size', '+50k'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
}

async function blobsAreGone(): Promise<void> {
  await eventually(() => assert.deepEqual(layerBlobs(), [], engine.log))
}

describe('a pulled image whose layer blobs are discarded', { timeout: 280_000 }, () => {
  const image = makeSmallImage([200_000, 300_000])
  let name: string
  before(async () => {
    name = `${proxy.domain}/discard/image:1`
    await uploadImage(registry.domain, 'discard/image', image)
    assert.equal(await pull(engine, proxy.domain, 'discard/image'), undefined)
    await blobsAreGone()
  })

  it('is whole for fsck', () => checkStore(engine))

  it('is not downloaded again', async () => {
    proxy.reset()
    const text = (await engine.request('POST', `/images/create?fromImage=${proxy.domain}/discard/image&tag=1`)).text
    assert.match(text, /Image is up to date/)
    assert.doesNotMatch(text, /Pulling fs layer/)
    assert.deepEqual(
      proxy.seen.filter(({ path }) => path.includes('/blobs/')),
      [],
    )
  })

  it('is saved, and what was saved has the same layers', async () => {
    const path = join(engine.directory, 'saved.tar')
    engine.mustDocker('save', '-o', path, name)
    const { RootFS } = (await engine.request('GET', `/images/${name}/json`)).json
    await using other = await Engine.start()
    other.mustDocker('load', '-i', path)
    assert.deepEqual((await other.request('GET', `/images/${name}/json`)).json.RootFS, RootFS)
    await checkStore(other)
  })

  it('is pushed, its layers compressed anew, and comes back the same', async () => {
    engine.mustDocker('tag', name, `${proxy.domain}/discard/pushed:1`)
    assert.equal(await push(engine, proxy.domain, 'discard/pushed'), undefined)
    const before = (await engine.request('GET', `/images/${name}/json`)).json
    await using other = await Engine.start()
    await using back = await FaultProxy.start(registry.domain, { host: other.host })
    assert.equal(await pull(other, back.domain, 'discard/pushed'), undefined)
    const after = (await other.request('GET', `/images/${back.domain}/discard/pushed:1/json`)).json
    assert.deepEqual([after.RootFS], [before.RootFS])
  })

  it('survives a restart, and leaves nothing when it is removed', async () => {
    await engine.stopDaemon('SIGKILL')
    await engine.startDaemon()
    await checkStore(engine)
    for (const image of engine.mustDocker('images', '-q').split('\n')) engine.docker(['rmi', '-f', image])
    const places = ['layers', 'content/blobs/sha256'].map((name) => join(engine.dataRoot, name))
    await eventually(() =>
      assert.equal(spawnSync('find', [...places, '-mindepth', '1', '-maxdepth', '1'], { encoding: 'utf8' }).stdout, ''),
    )
  })
})
