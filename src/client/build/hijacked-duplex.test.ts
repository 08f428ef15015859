import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HijackedStream } from '../connection.ts'
import { hijackedDuplex } from './hijacked-duplex.ts'

test('hijackedDuplex sends together what was written while the connection was busy', async () => {
  const sent: string[] = []
  const busy = Promise.withResolvers<void>()
  const stream = {
    mediaType: '',
    body: { pipe: () => new Promise(() => {}) },
    async write(chunk: Uint8Array) {
      sent.push(Buffer.from(chunk).toString())
      await busy.promise
    },
    closeWrite: () => sent.push('end'),
    close() {},
  } as unknown as HijackedStream
  const duplex = hijackedDuplex(stream)
  for (const text of ['first', 'second', 'third']) duplex.write(text)
  assert.deepEqual(sent, ['first'])
  busy.resolve()
  await new Promise<void>((resolve) => duplex.end(resolve))
  assert.deepEqual(sent, ['first', 'secondthird', 'end'])
  duplex.destroy()
})
