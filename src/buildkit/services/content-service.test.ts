import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code, content, createClient } from '#grpc'
import { digestOf } from '#oci'
import { fakeBuilds } from '../testing/fake-builds.ts'
import { BLOB, doorOpener } from '../testing/open-door.ts'

const open = doorOpener()

test('blobs are read from anywhere to anywhere', async () => {
  const { transport } = open(fakeBuilds())
  const client = createClient(content.Content, transport)
  const digest = digestOf(BLOB)
  const read = async (offset: bigint, size: bigint): Promise<string> => {
    let text = ''
    for await (const { data } of client.read({ digest, offset, size })) text += Buffer.from(data).toString()
    return text
  }
  assert.equal(await read(0n, 0n), '0123456789')
  assert.equal(await read(3n, 4n), '3456')
  await assert.rejects(read(5n, 9n), /beyond its end/)
  assert.equal((await client.info({ digest })).info?.size, 10n)
  await assert.rejects(client.info({ digest: digestOf(Buffer.from('unknown')) }), { code: Code.NotFound })
})
