/** Trees that exporters send: as files, and as one archive. Needs root. */
import assert from 'node:assert/strict'
import { linkSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { readTar } from '#archive'
import type { TarEntry } from '#archive'
import { unshared } from '../unshared.ts'
import { imageOf, openWorld, resultOf, writeTree } from './world.ts'
import type { ExportWorld } from './world.ts'
import { eventually } from '../../harness/eventually.ts'

const EPOCH = { 'build-arg:SOURCE_DATE_EPOCH': '1600000000' }

async function tree(world: ExportWorld): Promise<`sha256:${string}`> {
  return await world.step('COPY . .', undefined, (root) => {
    writeTree(root)
    linkSync(`${root}/etc/name`, `${root}/etc/other`)
  })
}

async function archived(world: ExportWorld): Promise<Map<string, { entry: TarEntry; content: string }>> {
  const entries = new Map<string, { entry: TarEntry; content: string }>()
  const archive = await world.session.received.at(-1)!.content
  for await (const { entry, body } of readTar(Readable.from([archive]))) entries.set(entry.path, { entry, content: await text(body) })
  return entries
}

/** What this process holds. */
function state(): { descriptors: number; mounts: string } {
  return { descriptors: readdirSync('/proc/self/fd').length, mounts: readFileSync('/proc/self/mountinfo', 'utf8') }
}

/** No more than it held then. */
function assertHeld(before: ReturnType<typeof state>): void {
  const { descriptors, mounts } = state()
  assert.equal(mounts, before.mounts)
  assert.ok(descriptors <= before.descriptors, `${descriptors} descriptors, ${before.descriptors} before`)
}

unshared(import.meta.filename, () => {
  describe('local exporter', () => {
    it('sends entries in order, with links, owners and contents', async () => {
      await using world = await openWorld()
      await world.export('local', {}, resultOf(await tree(world)))
      const [sent] = world.session.trees
      assert.ok(sent !== undefined)
      assert.deepEqual(
        sent.entries.map(({ path }) => path),
        ['a', 'a/b', 'a.b', 'etc', 'etc/name', 'etc/other', 'link', 'usr', 'usr/bin', 'usr/bin/tool'],
      )
      const named = (path: string) => sent.entries.find((entry) => entry.path === path)!
      assert.deepEqual([named('etc/name').uid, named('etc/name').gid, named('etc/name').mode], [12, 34, 0o100644])
      assert.equal(named('link').linkname, '/etc/name')
      assert.equal(named('etc/other').linkname, 'etc/name')
      assert.equal(sent.files.get('etc/name')?.toString(), 'value')
      assert.equal(sent.files.get('a/b')?.toString(), 'below')
    })

    it('gives each platform a directory, unless they are to share one', async () => {
      await using world = await openWorld()
      const first = await world.step('one', undefined, (root) => writeFileSync(`${root}/one`, '1'))
      const second = await world.step('two', undefined, (root) => writeFileSync(`${root}/two`, '2'))
      const images = [imageOf(first, { id: 'linux/arm64' }), imageOf(second, { id: 'linux/amd64' })]
      const result = { images, multiPlatform: true, metadata: {} }
      await world.export('local', {}, result)
      await world.export('local', { 'platform-split': 'false' }, result)
      assert.deepEqual(
        world.session.trees.map(({ entries }) => entries.map(({ path }) => path)),
        [
          ['linux_amd64', 'linux_amd64/two', 'linux_arm64', 'linux_arm64/one'],
          ['one', 'two'],
        ],
      )
      const clash = { ...result, images: [imageOf(first, { id: 'a' }), imageOf(first, { id: 'b' })] }
      await assert.rejects(
        world.export('local', { 'platform-split': 'false' }, clash),
        /cannot overwrite one from a with b when split option is disabled/,
      )
    })

    it('writes provenance beside the files where it is asked for', async () => {
      await using world = await openWorld()
      await world.export('local', { 'attestation-prefix': 'app.' }, resultOf(await tree(world)), { 'attest:provenance': 'mode=min' })
      const statement = JSON.parse(world.session.trees[0]!.files.get('app.provenance.json')!.toString()) as { subject: { name: string }[] }
      assert.deepEqual(
        statement.subject.map(({ name }) => name),
        ['a/b', 'a.b', 'etc/name', 'usr/bin/tool'],
      )
    })
  })

  describe('tar exporter', () => {
    it('writes one archive of everything, of the epoch', async () => {
      await using world = await openWorld()
      await world.export('tar', {}, resultOf(await tree(world)), EPOCH)
      const entries = await archived(world)
      assert.deepEqual(
        [...entries.keys()],
        ['a/', 'a/b', 'a.b', 'etc/', 'etc/name', 'etc/other', 'link', 'usr/', 'usr/bin/', 'usr/bin/tool'],
      )
      assert.equal(entries.get('etc/name')?.content, 'value')
      assert.equal(entries.get('etc/other')?.entry.type, 'hardlink')
      assert.equal(entries.get('usr/bin/tool')?.entry.mode, 0o755)
      assert.ok([...entries.values()].every(({ entry }) => entry.mtime === 1_600_000_000_000_000_000n))
    })

    it('leaves nothing behind when the client goes away', async () => {
      await using world = await openWorld()
      const chain = await world.step('big', undefined, (root) => writeFileSync(`${root}/big`, Buffer.alloc(8 << 20, 'x')))
      let files = 0
      world.session.sendFile = async () =>
        new Writable({ write: (_chunk, _encoding, done) => done(files++ > 1 ? new Error('the client is gone') : undefined) })
      const before = state()
      for (let round = 0; round < 3; round++) await assert.rejects(world.export('tar', {}, resultOf(chain)), /the client is gone/)
      // The file that was being read is closed in the background.
      await eventually(() => assertHeld(before))
    })

    it('leaves no mount and no descriptor behind', async () => {
      await using world = await openWorld()
      const chain = await tree(world)
      await world.export('tar', {}, resultOf(chain))
      await world.session.received[0]!.content
      const before = state()
      for (let round = 0; round < 5; round++) await world.export('tar', {}, resultOf(chain))
      assert.ok((await buffer(Readable.from([await world.session.received[1]!.content]))).length > 0)
      await eventually(() => assertHeld(before))
    })
  })
})
