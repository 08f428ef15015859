import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Answer, decode, encode, type Packet } from 'dns-packet'
import { answers, fit, lifetime, passOn, readAnswer } from './answer.ts'
import { isBad, type Query, readQuery, writeAnswer } from './message.ts'

const QUESTIONS = [{ type: 'A', name: 'Web.Example' }] as const
const SOA: Answer = { type: 'SOA', name: 'example', ttl: 900, data: { mname: 'ns.example', rname: 'me.example', minimum: 60 } }
const OPT: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 4096,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

function query(edns = false): Query {
  const read = readQuery(encode({ id: 99, flags: 0x0100, questions: [...QUESTIONS], additionals: edns ? [OPT] : [] }))
  assert.ok(read !== undefined && !isBad(read))
  return read
}

function addresses(count: number, ttl = 300): Answer[] {
  return Array.from({ length: count }, (_, index) => ({ type: 'A', name: 'web.example', ttl, data: `10.0.0.${index}` }))
}

function message(packet: Packet): Buffer {
  return encode({ id: 5, type: 'response', flags: 0x0180, questions: [{ type: 'A', name: 'wEB.eXAMPLE' }], ...packet })
}

suite('answers', () => {
  test('only that id, question and direction', () => {
    const { question } = query()
    assert.ok(answers(message({}), 5, question))
    assert.ok(!answers(message({ id: 6 }), 5, question))
    assert.ok(!answers(message({ questions: [{ type: 'A', name: 'web.exampla' }] }), 5, question))
    assert.ok(!answers(message({ questions: [{ type: 'AAAA', name: 'web.example' }] }), 5, question))
    assert.ok(!answers(message({ type: 'query' }), 5, question))
    assert.ok(!answers(message({}).subarray(0, 8), 5, question))
  })

  test('no question only where the server gave up', () => {
    const { question } = query()
    assert.ok(answers(message({ questions: [], flags: 2 }), 5, question))
    assert.ok(!answers(message({ questions: [], flags: 0 }), 5, question))
  })
})

suite('lifetime', () => {
  const of = (packet: Packet): number => lifetime(readAnswer(message(packet)))

  test('is that of the shortest record', () => {
    assert.equal(of({ answers: [...addresses(1, 300), ...addresses(1, 20)] }), 20)
    assert.equal(of({ answers: addresses(1, 0) }), 0)
    assert.equal(of({ answers: addresses(1, 0x80000001) }), 0)
  })

  test('of what is not there, is what the SOA says', () => {
    assert.equal(of({ flags: 3, authorities: [SOA] }), 60)
    assert.equal(of({ authorities: [{ ...SOA, ttl: 30 }] }), 30)
    assert.equal(of({ flags: 3 }), 0)
    assert.equal(of({}), 0)
  })

  test('is none of failures and of parts', () => {
    for (const flags of [2, 5, 0x0200]) assert.equal(of({ flags, answers: addresses(1) }), 0)
  })
})

suite('passOn', () => {
  test("has the client's id and spelling, and times counted down", () => {
    const passed = decode(passOn(readAnswer(message({ answers: addresses(2) })), query(), 100, 512))
    assert.deepEqual([passed.id, passed.questions?.[0]?.name, passed.additionals], [99, 'Web.Example', []])
    assert.deepEqual(
      passed.answers?.map((record) => 'ttl' in record && record.ttl),
      [200, 200],
    )
  })

  test('cuts at the end of a record, and says so', () => {
    const bytes = passOn(readAnswer(message({ answers: addresses(100), authorities: [SOA] })), query(), 0, 512)
    const { flag_tc, answers: kept, authorities } = decode(bytes)
    assert.ok(bytes.length <= 512 && bytes.length > 480)
    assert.ok(flag_tc)
    assert.deepEqual(authorities, [])
    assert.deepEqual(kept?.at(0), { name: 'web.example', type: 'A', ttl: 300, class: 'IN', flush: false, data: '10.0.0.0' })
  })

  test('leaves out what comes with the answer without saying so', () => {
    const {
      flag_tc,
      answers: kept,
      additionals,
    } = decode(passOn(readAnswer(message({ answers: addresses(10), additionals: addresses(40) })), query(), 0, 512))
    assert.deepEqual([flag_tc, kept?.length], [false, 10])
    assert.ok((additionals?.length ?? 0) < 40)
  })

  test('speaks EDNS with who speaks it', () => {
    const answer = readAnswer(message({ answers: addresses(1), additionals: [...addresses(1), { ...OPT, extendedRcode: 1 }] }))
    const opt = decode(passOn(answer, query(true), 0, 4096)).additionals?.at(-1)
    assert.ok(opt?.type === 'OPT' && 'extendedRcode' in opt)
    assert.deepEqual([opt.udpPayloadSize, opt.extendedRcode], [1232, 1])
    assert.ok(!decode(passOn(answer, query(), 0, 512)).additionals?.some(({ type }) => type === 'OPT'))
  })
})

test('fit adds EDNS to an answer of our own', () => {
  const { additionals } = decode(fit(writeAnswer(query(true), 0, [{ type: 'A', ttl: 1, data: '10.0.0.1' }]), query(true), 512))
  assert.equal(additionals?.[0]?.type, 'OPT')
})

test('readAnswer throws for what is no message', () => {
  const bytes = message({ answers: addresses(3) })
  for (let length = 0; length < bytes.length; length++) assert.throws(() => readAnswer(bytes.subarray(0, length)), `${length} bytes`)
})
