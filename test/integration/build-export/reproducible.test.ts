/** Two engines that build the same at different times give the same bytes. Needs root. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import { unshared } from '../unshared.ts'
import { openWorld, resultOf, writeTree } from './world.ts'
import type { ExportWorld } from './world.ts'

const EPOCH = { 'build-arg:SOURCE_DATE_EPOCH': '1600000000' }
const YOUNG = Date.UTC(2024, 0, 1)
const DAY = 86_400_000

/** What one engine makes of the tree, written at `time`. */
async function build(world: ExportWorld, type: string, attributes: Record<string, string>, time: number): Promise<Record<string, string>> {
  const lower = await world.step('COPY . .', undefined, (root) => writeTree(root, new Date(time)))
  const upper = await world.step('RUN make', lower, (root) => writeTree(root, new Date(time + DAY)))
  return await world.export(type, attributes, resultOf(upper), EPOCH)
}

unshared(import.meta.filename, () => {
  describe('rewrite-timestamp', () => {
    it('makes images of two engines the same, to the last byte of the archive', async () => {
      await using first = await openWorld()
      await using second = await openWorld()
      const attributes = { name: 'app:1', 'rewrite-timestamp': 'true' }
      const one = await build(first, 'oci', attributes, YOUNG)
      const two = await build(second, 'oci', attributes, YOUNG + 30 * DAY)
      assert.deepEqual(two, one)
      const archives = await Promise.all([first, second].map(({ session }) => session.received[0]!.content))
      assert.equal(digestOf(archives[1]!), digestOf(archives[0]!))
    })

    it('makes an image here that is the same on both', async () => {
      await using first = await openWorld()
      await using second = await openWorld()
      const attributes = { name: 'app:1', 'rewrite-timestamp': 'true' }
      const one = await build(first, 'moby', attributes, YOUNG)
      const two = await build(second, 'moby', attributes, YOUNG + 30 * DAY)
      assert.deepEqual(two, one)
      assert.equal(first.images.get('app:1').config.created, '2020-09-13T12:26:40Z')
    })

    it('is what makes them so: without it they differ', async () => {
      await using first = await openWorld()
      await using second = await openWorld()
      const one = await build(first, 'moby', { name: 'app:1' }, YOUNG)
      const two = await build(second, 'moby', { name: 'app:1' }, YOUNG + 30 * DAY)
      assert.notDeepEqual(two, one)
    })
  })
})
