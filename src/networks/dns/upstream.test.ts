import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { encode, type Packet } from 'dns-packet'
import { isBad, type Query, readQuery } from './message.ts'
import { startFakeServer } from './testing/fake-server.ts'
import { createUpstream, type Upstream, type UpstreamServer } from './upstream.ts'

const FOUND: Packet = { answers: [{ type: 'A', name: 'web.example', ttl: 60, data: '192.0.2.1' }] }

function query(): Query {
  const read = readQuery(encode({ flags: 0x0100, questions: [{ type: 'A', name: 'web.example' }] }))
  assert.ok(read !== undefined && !isBad(read))
  return read
}

/** `timeout`: long, where every server answers. */
function upstreamOf(timeout = 20_000): Upstream {
  return createUpstream({ openSocket: () => assert.fail('no namespaces here'), timeout })
}

function at({ port }: { port: number }): UpstreamServer {
  return { address: '127.0.0.1', port }
}

const NEVER = new AbortController().signal

suite('upstream', () => {
  test('asks with ids nobody can guess', async () => {
    const ids = new Set<number>()
    await using server = await startFakeServer(({ id = 0 }) => {
      ids.add(id)
      return FOUND
    })
    const upstream = upstreamOf()
    for (let round = 0; round < 8; round++) await upstream.ask(query(), [at(server)], false, NEVER)
    assert.ok(ids.size >= 7)
  })

  test('fetches by TCP what is too long for a datagram', async () => {
    await using server = await startFakeServer((_query, protocol) => (protocol === 'udp' ? { flags: 0x0380 } : FOUND))
    assert.equal((await upstreamOf().ask(query(), [at(server)], false, NEVER))?.records.length, 1)
    assert.deepEqual(server.asked, ['udp web.example A', 'tcp web.example A'])
  })

  test('has the part when there is no TCP', async () => {
    await using server = await startFakeServer((_query, protocol) => (protocol === 'udp' ? { ...FOUND, flags: 0x0380 } : undefined))
    const answer = await upstreamOf(800).ask(query(), [at(server)], false, NEVER)
    assert.deepEqual([answer?.truncated, answer?.records.length], [true, 1])
  })

  test('goes on after failures and refusals, not after "no such name"', async () => {
    await using failing = await startFakeServer(() => ({ flags: 2 }))
    await using refusing = await startFakeServer(() => ({ flags: 5 }))
    await using knowing = await startFakeServer(() => ({ flags: 3 }))
    await using never = await startFakeServer(() => FOUND)
    const upstream = upstreamOf()
    assert.equal((await upstream.ask(query(), [failing, refusing, knowing].map(at), false, NEVER))?.rcode, 3)
    assert.equal((await upstream.ask(query(), [knowing, never].map(at), false, NEVER))?.rcode, 3)
    assert.equal(await upstream.ask(query(), [failing, refusing].map(at), false, NEVER), undefined)
    assert.deepEqual(never.asked, [])
  })

  test('asks three servers at most', async () => {
    await using failing = await startFakeServer(() => ({ flags: 2 }))
    await using fourth = await startFakeServer(() => FOUND)
    assert.equal(await upstreamOf().ask(query(), [failing, failing, failing, fourth].map(at), false, NEVER), undefined)
  })

  test('passes over answers to other questions', async () => {
    await using server = await startFakeServer(({ id = 0 }, _protocol, bytes) => {
      if (server.asked.length > 1) return FOUND // asked again after the wrong one
      return encode({ id: (id + 1) & 0xffff, type: 'response', questions: [{ type: 'A', name: bytes.toString('latin1', 13, 16) }] })
    })
    assert.equal((await upstreamOf(3000).ask(query(), [at(server)], false, NEVER))?.records.length, 1)
  })

  test('asks a silent server last for a while', async () => {
    await using silent = await startFakeServer(() => undefined)
    await using other = await startFakeServer(() => FOUND)
    const upstream = upstreamOf(400)
    await upstream.ask(query(), [silent, other].map(at), false, NEVER)
    await upstream.ask(query(), [silent, other].map(at), false, NEVER)
    assert.deepEqual([silent.asked.length, other.asked.length], [1, 2])
  })

  test('survives answers that are none', async () => {
    await using server = await startFakeServer((_query, _protocol, bytes) => {
      const broken = Buffer.from(bytes)
      broken.writeUInt16BE(0x8180, 2)
      broken.writeUInt16BE(0xffff, 6)
      return broken
    })
    assert.equal(await upstreamOf(400).ask(query(), [at(server)], false, NEVER), undefined)
  })

  test('ends with its signal', async () => {
    await using server = await startFakeServer(() => undefined)
    const stopped = new AbortController()
    const asking = upstreamOf().ask(query(), [at(server)], false, stopped.signal)
    stopped.abort(new Error('enough'))
    await assert.rejects(asking, /enough/)
  })
})
