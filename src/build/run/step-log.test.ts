import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { carryOutput, clipped } from './step-log.ts'

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

function collector(): { log: (stream: 1 | 2, data: Uint8Array) => void; texts: Record<1 | 2, string> } {
  const texts = { 1: '', 2: '' }
  return { texts, log: (stream, data) => (texts[stream] += Buffer.from(data).toString()) }
}

describe('carryOutput', () => {
  it('takes frames apart wherever they are cut', async () => {
    const all = Buffer.concat([frame(1, 'one'), frame(2, 'two'), frame(1, ''), frame(1, 'three')])
    for (let size = 1; size <= all.length; size++) {
      const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.subarray(index * size, (index + 1) * size))
      const { log, texts } = collector()
      await carryOutput(Readable.from(chunks), log)
      assert.deepEqual(texts, { 1: 'onethree', 2: 'two' })
    }
  })
})

describe('clipped', () => {
  it('drops what is over the limit and says so once, for each stream', () => {
    const { log, texts } = collector()
    const write = clipped(log, 1024 * 1024)
    write(1, Buffer.alloc(1024 * 1024 - 1, 'a'))
    write(2, Buffer.from('fine'))
    write(1, Buffer.from('bcd'))
    write(1, Buffer.from('efg'))
    assert.equal(texts[1].slice(1024 * 1024 - 2), 'ab\n[output clipped, log limit 1MiB reached]\n')
    assert.equal(texts[2], 'fine')
  })

  it('takes exactly the limit', () => {
    const { log, texts } = collector()
    const write = clipped(log, 4)
    write(1, Buffer.from('1234'))
    assert.equal(texts[1], '1234')
  })
})
