/** Steps that run programs, on the real kernel. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { unshared } from '../unshared.ts'
import { createWorld, type World } from './world.ts'

unshared(import.meta.filename, () => {
  suite('a step', () => {
    let world: World
    before(async () => {
      world = await createWorld()
    })
    after(async () => {
      world.assertClean()
      await world[Symbol.asyncDispose]()
    })

    test('leaves what it writes as a layer, and nothing else', async () => {
      const { outputs, stdout, stderr } = await world.run('echo hello; echo no >&2; echo text > /tmp/file; mkdir /a; rm /etc/group')
      assert.deepEqual([stdout, stderr], ['hello\n', 'no\n'])
      assert.deepEqual(world.filesOf(outputs[0]), ['a', 'etc', 'etc/group', 'tmp', 'tmp/file'])
      assert.equal(world.read(outputs[0], 'tmp/file'), 'text\n')
      world.assertClean()
    })

    test('that writes nothing is the layer below', async () => {
      const { outputs } = await world.run('true')
      assert.deepEqual(outputs, [world.base])
    })
  })
})
