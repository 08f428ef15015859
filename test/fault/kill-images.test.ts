/**
 * The daemon is killed with SIGKILL at random moments of a load, a pull, a push and a removal. After each start the store is whole, the same work succeeds,
 * and when the image is removed nothing of it is left.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { eventually, type Engine } from '../harness/index.ts'
import { tar } from '../harness/tar.ts'
import { checkStore, pull, push, startRegistryFixture, type RegistryFixture } from './registry-fixture.ts'
import { makeSmallImage, uploadImage, type SmallImage } from './small-image.ts'

const KILLS = 20
const LAYERS = [700_000, 700_000, 700_000, 1000]

let fixture: RegistryFixture
let engine: Engine
let count = 0

before(async () => {
  fixture = await startRegistryFixture()
  ;({ engine } = fixture)
})
after(() => fixture[Symbol.asyncDispose]())

/** Undefined when it succeeded. */
type Work = () => Promise<string | undefined>

/** Milliseconds that `work` takes when nobody disturbs it: the best of three, the first warms up. `undo` makes it work again. */
async function measure(work: Work, undo: () => Promise<unknown>): Promise<number> {
  let best = Infinity
  for (let round = 0; round < 3; round++) {
    await undo()
    const started = performance.now()
    assert.equal(await work(), undefined)
    best = Math.min(best, performance.now() - started)
  }
  return best
}

/** Kills that came before the work's answer. */
let interrupted = 0

/** Begins the work, kills the daemon somewhere in it or just after it, starts it again and looks at the store. */
async function killDuring(work: Work, duration: number): Promise<void> {
  const working = work().then(
    () => undefined,
    () => interrupted++, // the connection broke
  )
  await sleep(Math.random() * duration)
  await engine.stopDaemon('SIGKILL')
  await working
  await engine.startDaemon()
  await checkStore(engine)
}

async function remove(name: string): Promise<string | undefined> {
  const { status, text } = await engine.request('DELETE', `/images/${name}?force=1`)
  return status === 200 || status === 404 ? undefined : text
}

/** With no image there is no blob, no layer and no half of either; what is thrown away goes in the background. */
async function assertNothingLeft(): Promise<void> {
  const places = ['content/blobs/sha256', 'content/ingest', 'layers', 'tmp/trash'].map((name) => join(engine.dataRoot, name))
  await eventually(() => assert.equal(spawnSync('find', [...places, '-mindepth', '1', '-maxdepth', '1'], { encoding: 'utf8' }).stdout, ''))
}

/** What `docker save` makes of an image. */
function archiveOf(image: SmallImage): Buffer {
  const hex = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
  const layers = image.layers.map(({ bytes }, index) => ({ name: `${index}.tar`, data: gunzipSync(bytes) }))
  const config = `${hex(image.config.bytes)}.json`
  const manifest = [{ Config: config, RepoTags: ['loaded:1'], Layers: layers.map(({ name }) => name) }]
  return tar([
    { name: config, data: image.config.bytes },
    ...layers,
    { name: 'manifest.json', data: Buffer.from(JSON.stringify(manifest)) },
  ])
}

async function load(archive: Buffer): Promise<string | undefined> {
  const { status, text } = await engine.request('POST', '/images/load?quiet=1', archive, { 'Content-Type': 'application/x-tar' })
  return status === 200 && !text.includes('"error"') ? undefined : text
}

beforeEach(() => (interrupted = 0))
/** A test whose kills all come too late has tested nothing. */
function assertInterrupted(): void {
  assert.ok(interrupted >= KILLS / 4, `only ${interrupted} of ${KILLS} kills came in the middle`)
}

describe(`kill -9 of the daemon at ${KILLS} moments each`, { timeout: 500_000 }, () => {
  it('of a load', async () => {
    const archive = archiveOf(makeSmallImage(LAYERS))
    const duration = await measure(
      () => load(archive),
      () => remove('loaded:1'),
    )
    for (let kill = 0; kill < KILLS; kill++) {
      await remove('loaded:1')
      await killDuring(() => load(archive), duration)
      assert.equal(await load(archive), undefined)
    }
    assertInterrupted()
    await checkStore(engine)
    await remove('loaded:1')
    await assertNothingLeft()
  })

  it('of a pull', async () => {
    const repository = 'kill/pull'
    await uploadImage(fixture.registry.domain, repository, makeSmallImage(LAYERS))
    const work: Work = () => pull(engine, fixture.plain.domain, repository)
    const name = `${fixture.plain.domain}/${repository}:1`
    const duration = await measure(work, () => remove(name))
    for (let kill = 0; kill < KILLS; kill++) {
      await remove(name)
      await killDuring(work, duration)
      assert.equal(await work(), undefined)
    }
    assertInterrupted()
    await checkStore(engine)
    await remove(name)
    await assertNothingLeft()
  })

  it('of a push', async () => {
    const image = makeSmallImage(LAYERS)
    assert.equal(await load(archiveOf(image)), undefined)
    const newName = async (): Promise<string> => {
      const repository = `${fixture.plain.domain}/kill/push-${++count}`
      const { status } = await engine.request('POST', `/images/loaded:1/tag?repo=${repository}&tag=1`)
      assert.equal(status, 201)
      return repository.slice(fixture.plain.domain.length + 1)
    }
    let repository = ''
    const work: Work = () => push(engine, fixture.plain.domain, repository)
    const duration = await measure(work, async () => (repository = await newName()))
    for (let kill = 0; kill < KILLS; kill++) {
      repository = await newName()
      await killDuring(work, duration)
      assert.equal(await work(), undefined)
    }
    assertInterrupted()
    for (let number = 1; number <= count; number++) await remove(`${fixture.plain.domain}/kill/push-${number}:1`)
    await remove('loaded:1')
    await assertNothingLeft()
  })

  it('of a removal', async () => {
    const archive = archiveOf(makeSmallImage(LAYERS))
    for (let kill = 0; kill < KILLS; kill++) {
      assert.equal(await load(archive), undefined)
      await killDuring(() => remove('loaded:1'), 30)
      // Either it is there, then it is whole; or it is not.
      const { status } = await engine.request('GET', '/images/loaded:1/json')
      if (status === 200) assert.equal((await engine.request('GET', '/images/loaded:1/get')).status, 200)
      else assert.equal(status, 404)
      assert.equal(await remove('loaded:1'), undefined)
      await assertNothingLeft()
    }
  })
})
