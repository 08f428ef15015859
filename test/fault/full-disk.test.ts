/**
 * A data root on a file system that fills up: what makes images fails with `no space left on device` and leaves nothing of what it has begun; with space
 * again it succeeds, and the store is whole.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { eventually, type Engine } from '../harness/index.ts'
import { tar } from '../harness/tar.ts'
import { checkStore, pull, startRegistryFixture, type RegistryFixture } from './registry-fixture.ts'
import { makeSmallImage, uploadImage } from './small-image.ts'

/** MiB of the whole file system, and what a test leaves free of it; each image needs more. */
const SIZE = 48
const FREE = 3
const BYTES = 5_000_000

let fixture: RegistryFixture
let engine: Engine

before(async () => {
  fixture = await startRegistryFixture()
  ;({ engine } = fixture)
  await engine.stopDaemon()
  engine.host.must(['mount', '-t', 'tmpfs', '-o', `size=${SIZE}m`, 'gantry-full-disk', engine.dataRoot])
  await engine.startDaemon()
  engine.loadStarter()
})
after(async () => {
  for (const id of engine.mustDocker('ps', '-aq').split('\n').filter(Boolean)) engine.mustDocker('rm', '-f', id)
  await engine.stopDaemon()
  engine.host.must(['umount', engine.dataRoot])
  await engine.startDaemon()
  await fixture[Symbol.asyncDispose]()
})

/** MiB. */
const freeSpace = (): number => Number(engine.host.must(['df', '--output=avail', '-B1M', engine.dataRoot]).split('\n')[1])

/** Takes all space but a little, once nothing is being deleted any more. */
async function fill(): Promise<void> {
  await eventually(() => assert.equal(engine.host.must(['find', `${engine.dataRoot}/tmp/trash`, '-mindepth', '1']), ''))
  // What a deleted file had comes back when the last who has it open closes it: what comes later is taken, too.
  await eventually(() => {
    const more = freeSpace() - FREE
    if (more > 0) engine.host.must(['sh', '-c', `dd if=/dev/zero bs=1M count=${more} status=none >> ${engine.dataRoot}/filler`])
    assert.ok(more <= 0, `${more} MiB were still free`)
  })
}

/** Files in the store's own places. */
function listing(): string {
  const places = ['content', 'layers', 'snapshots', 'tmp'].map((name) => `${engine.dataRoot}/${name}`)
  return engine.host.must(['find', ...places, '-maxdepth', '3'])
}

/** Fails for want of space, leaves nothing, succeeds with space. */
async function survivesFullDisk(work: () => Promise<string | undefined>): Promise<void> {
  await fill()
  const before = listing()
  using _space = { [Symbol.dispose]: () => void engine.host.must(['rm', '-f', `${engine.dataRoot}/filler`]) }
  const error = await work()
  assert.match(error ?? 'no error', /no space left on device/)
  await eventually(() => assert.equal(listing(), before))
  assert.equal((await engine.request('GET', '/_ping')).status, 200)
  engine.host.must(['rm', `${engine.dataRoot}/filler`])
  assert.equal(await work(), undefined)
  await checkStore(engine)
}

/** Archives go through the docker CLI: whoever sends one is still sending when the answer comes, and not every client looks for it. */
function cli(archive: Buffer, ...args: string[]): string | undefined {
  const path = join(engine.directory, 'archive.tar')
  writeFileSync(path, archive)
  const { status, stderr } = engine.docker([...args.map((arg) => (arg === 'ARCHIVE' ? path : arg))])
  return status === 0 ? undefined : stderr
}

function errorOf({ status, text }: { status: number; text: string }): string | undefined {
  if (status >= 400) return text
  const lines = text.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line).error).find((error) => error !== undefined)
}

/** An image as `docker save` writes it; its layer as it is, or compressed. */
function saved(layer: Buffer, compressed: Buffer = layer): Buffer {
  const digest = createHash('sha256').update(layer).digest('hex')
  const rootfs = { type: 'layers', diff_ids: [`sha256:${digest}`] }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }))
  const manifest = [{ Config: 'config.json', RepoTags: ['full:load'], Layers: ['layer.tar'] }]
  return tar([
    { name: 'config.json', data: config },
    { name: 'layer.tar', data: compressed },
    { name: 'manifest.json', data: Buffer.from(JSON.stringify(manifest)) },
  ])
}

describe('a full disk', { timeout: 280_000 }, () => {
  it('ends a load', async () => {
    const archive = saved(tar([{ name: 'f', data: randomBytes(BYTES) }]))
    await survivesFullDisk(async () => cli(archive, 'load', '-i', 'ARCHIVE'))
    engine.mustDocker('rmi', 'full:load')
  })

  it('ends the load of a layer that is small and grows a thousandfold', async () => {
    const layer = tar([{ name: 'f', data: Buffer.alloc(30_000_000) }])
    const archive = saved(layer, gzipSync(layer))
    assert.ok(archive.length < 100_000)
    await survivesFullDisk(async () => cli(archive, 'load', '-i', 'ARCHIVE'))
    engine.mustDocker('rmi', 'full:load')
  })

  it('ends a load of thousands of files', async () => {
    const archive = saved(tar(Array.from({ length: 2000 }, (_, index) => ({ name: `d/${index}`, data: Buffer.from('x') }))))
    await survivesFullDisk(async () => cli(archive, 'load', '-i', 'ARCHIVE'))
    engine.mustDocker('rmi', 'full:load')
  })

  it('ends an import', async () => {
    const layer = tar([{ name: 'f', data: randomBytes(BYTES) }])
    await survivesFullDisk(async () => cli(layer, 'import', 'ARCHIVE', 'full:import'))
    engine.mustDocker('rmi', 'full:import')
  })

  it('ends a pull', async () => {
    await uploadImage(fixture.registry.domain, 'full/pull', makeSmallImage([BYTES, BYTES, 100]))
    await survivesFullDisk(() => pull(engine, fixture.plain.domain, 'full/pull'))
    engine.mustDocker('rmi', `${fixture.plain.domain}/full/pull:1`)
  })

  it('ends a commit', async () => {
    engine.mustDocker('run', '--name', 'writer', 'starter', 'dd', 'if=/dev/urandom', 'of=/f', 'bs=1M', 'count=5')
    await survivesFullDisk(async () => errorOf(await engine.request('POST', '/commit?container=writer&repo=full&tag=commit')))
    engine.mustDocker('rmi', 'full:commit')
    engine.mustDocker('rm', 'writer')
  })

  const dockerfiles = {
    'a step': 'FROM starter\nRUN dd if=/dev/urandom of=/f bs=1M count=5 && sync /f\n',
    'a COPY': 'FROM starter\nCOPY f /f\n',
  }
  for (const [what, dockerfile] of Object.entries(dockerfiles)) {
    it(`ends ${what} of a build`, async () => {
      const context = tar([
        { name: 'Dockerfile', data: Buffer.from(dockerfile) },
        { name: 'f', data: randomBytes(what === 'a COPY' ? BYTES : 1) },
      ])
      const build = async (): Promise<string | undefined> =>
        errorOf(await engine.request('POST', '/build?t=full:build', context, { 'Content-Type': 'application/x-tar' }))
      await survivesFullDisk(async () => {
        const error = await build()
        // What the program in the step says of it is in its output, not in the error.
        return error?.includes('returned a non-zero code') === true ? 'no space left on device' : error
      })
      engine.mustDocker('rmi', 'full:build')
      engine.mustDocker('builder', 'prune', '-af')
    })
  }

  it('does not keep a container that has filled it from being removed', async () => {
    engine.mustDocker('run', '-d', '--name', 'glutton', 'starter', 'sleep', '1000')
    const full = engine.docker(['exec', 'glutton', 'sh', '-c', 'dd if=/dev/zero of=/f bs=1M; dd if=/dev/zero bs=4096 >> /f'])
    assert.match(full.stderr, /No space left on device[^]*No space left on device/)
    engine.mustDocker('stop', '-t', '0', 'glutton')
    engine.mustDocker('rm', 'glutton')
    await eventually(() => assert.ok(freeSpace() > FREE))
    await checkStore(engine)
  })

  it('is told to a program in a container, which goes on when there is space', async () => {
    engine.mustDocker('run', '-d', '--name', 'writer', 'starter', 'sleep', '1000')
    await fill()
    const full = engine.docker(['exec', 'writer', 'dd', 'if=/dev/zero', 'of=/f', 'bs=1M', 'count=10'])
    assert.match(full.stderr, /No space left on device/)
    engine.host.must(['rm', `${engine.dataRoot}/filler`])
    engine.mustDocker('exec', 'writer', 'dd', 'if=/dev/zero', 'of=/f', 'bs=1M', 'count=10')
    engine.mustDocker('rm', '-f', 'writer')
  })
})
