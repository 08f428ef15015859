import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { DebugContainer } from '#build'
import { Code, metadataHeaders, type gateway, type MessageInitShape } from '#grpc'
import { fakeBuilds } from '../testing/fake-builds.ts'
import { doorOpener } from '../testing/open-door.ts'

const open = doorOpener()

/** Its programs run until it is disposed. */
function endlessContainer(): DebugContainer {
  const exited = Promise.withResolvers<number>()
  const stream = new PassThrough()
  return {
    run: async () => ({ stream, exited: exited.promise, kill: async () => {}, resize: async () => {} }),
    async [Symbol.asyncDispose]() {
      stream.end()
      exited.resolve(137)
    },
  }
}

test('a program whose container is released ends as cancelled', async () => {
  const client = open(fakeBuilds({ openContainer: async () => endlessContainer() }))
  const ofBuild = { headers: metadataHeaders({ 'buildkit-controlapi-buildid': 'b1' }) }
  const { bridge } = client
  const building = client.control.solve({ ref: 'b1' })
  await bridge.newContainer({ containerId: 'c', mounts: [{ dest: '/' }] }, ofBuild)
  async function* outgoing(): AsyncGenerator<MessageInitShape<typeof gateway.ExecMessageSchema>> {
    yield { processId: 'p', input: { case: 'init', value: { containerId: 'c', meta: { args: ['sleep'] } } } }
    await building
  }
  const exits: unknown[] = []
  for await (const { input } of bridge.execProcess(outgoing(), ofBuild)) {
    if (input.case === 'started') await bridge.releaseContainer({ containerId: 'c' }, ofBuild)
    if (input.case === 'exit') exits.push([input.value.code, input.value.error?.code, input.value.error?.message])
    if (input.case === 'done') await bridge.return({ result: {} }, ofBuild)
  }
  assert.deepEqual(exits, [[137, Code.Canceled, 'context canceled']])
})
