import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Answer, decode, encode } from 'dns-packet'
import { isBad, type Query, readQuery, refusal, writeAnswer, writeUpstreamQuery } from './message.ts'

function query(bytes: Buffer): Query {
  const read = readQuery(bytes)
  assert.ok(read !== undefined && !isBad(read))
  return read
}

function rcodeOf(bytes: Buffer): number | undefined {
  const read = readQuery(bytes)
  return read !== undefined && isBad(read) ? read.rcode : undefined
}

const PLAIN = encode({ id: 7, type: 'query', flags: 0x0100, questions: [{ type: 'AAAA', name: 'Web.Example' }] })

suite('readQuery', () => {
  test('reads id, wishes, name and type', () => {
    const { question, ...read } = query(PLAIN)
    assert.deepEqual(read, { id: 7, wishes: 0x0100, name: 'web.example', type: 28, class: 1 })
    assert.equal(question.toString('latin1'), '\x03Web\x07Example\0\0\x1c\0\x01')
  })

  test('reads EDNS, and takes no size under 512', () => {
    const opt: Answer = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 100,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0x8000,
      flag_do: true,
      options: [],
    } as const
    const { edns } = query(encode({ questions: [{ type: 'A', name: 'web' }], additionals: [opt] }))
    assert.deepEqual(edns, { size: 512, dnssec: true, extendedRcode: 0, options: [] })
  })

  test('gives no answer to answers and to what is too short', () => {
    assert.equal(readQuery(encode({ type: 'response', questions: [{ type: 'A', name: 'web' }] })), undefined)
    assert.equal(readQuery(PLAIN.subarray(0, 11)), undefined)
    assert.equal(readQuery(Buffer.alloc(0)), undefined)
  })

  test('refuses other operations, several questions and broken ones', () => {
    assert.equal(rcodeOf(encode({ flags: 0x2800, questions: [{ type: 'A', name: 'web' }] })), 4)
    assert.equal(rcodeOf(encode({ questions: [] })), 1)
    assert.equal(
      rcodeOf(
        encode({
          questions: [
            { type: 'A', name: 'a' },
            { type: 'A', name: 'b' },
          ],
        }),
      ),
      1,
    )
    for (let length = 12; length < PLAIN.length; length++) assert.equal(rcodeOf(PLAIN.subarray(0, length)), 1, `${length} bytes`)
  })

  test('is done with hostile bytes at once', () => {
    const counts = Buffer.alloc(12 + 4000)
    counts.writeUInt16BE(1, 4)
    counts.writeUInt16BE(0xffff, 10)
    const loop = Buffer.concat([PLAIN.subarray(0, 12), Buffer.from('c00c00010001', 'hex')])
    const huge = Buffer.concat([PLAIN, Buffer.alloc(60_000)])
    const before = performance.now()
    for (const bytes of [counts, loop, huge]) assert.equal(rcodeOf(bytes), 1)
    for (let round = 0; round < 2000; round++) {
      const noise = Buffer.from(PLAIN)
      for (let change = 0; change < 4; change++) noise[Math.floor(Math.random() * noise.length)] = Math.floor(Math.random() * 256)
      readQuery(noise)
    }
    assert.ok(performance.now() - before < 20_000)
  })
})

suite('writing', () => {
  test('answers repeat the question as it was written', () => {
    const answer = writeAnswer(query(PLAIN), 0, [{ type: 'AAAA', ttl: 600, data: 'fd00::1' }])
    const { id, flags, questions, answers } = decode(answer)
    assert.deepEqual([id, flags, questions?.[0]?.name], [7, 0x0180, 'Web.Example'])
    assert.deepEqual(answers, [{ name: 'web.example', type: 'AAAA', ttl: 600, class: 'IN', flush: false, data: 'fd00::1' }])
  })

  test('questions with labels that are no text go upstream as they came', () => {
    const strange = Buffer.concat([PLAIN.subarray(0, 12), Buffer.from('03ff2e0000000f0001', 'hex')])
    const upstream = writeUpstreamQuery(query(strange), 9)
    assert.equal(upstream.toString('hex'), '00090100000100000000000003ff2e0000000f0001')
  })

  test('a refusal is a header', () => {
    assert.equal(refusal({ id: 0x1234, rcode: 4 }).toString('hex'), '123480040000000000000000')
  })
})
