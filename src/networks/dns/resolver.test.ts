import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decode, encode, type OptAnswer } from 'dns-packet'
import { readAnswer, type UpstreamAnswer } from './answer.ts'
import { createAnswerCache } from './answer-cache.ts'
import { type Question, createResolver, type Resolver } from './resolver.ts'
import { directoryOf } from './testing/directory.ts'
import type { Upstream } from './upstream.ts'
import { createZone } from './zone.ts'

function resolverOf(ask: Upstream['ask']): Resolver {
  const { signal } = new AbortController()
  return createResolver({ zone: createZone(directoryOf()), cache: createAnswerCache(), upstream: { ask }, signal })
}

function question(containerId: string, name: string, size?: number): Question {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: size, flags: 0, options: [] } as unknown as OptAnswer
  const bytes = encode({ questions: [{ type: 'TXT', name }], additionals: size === undefined ? [] : [opt] })
  return { containerId, bytes, protocol: 'udp', servers: [{ address: '192.0.2.1', port: 53 }], signal: new AbortController().signal }
}

function long(): UpstreamAnswer {
  const data = [Buffer.alloc(200)]
  const answers = Array.from({ length: 100 }, () => ({ type: 'TXT' as const, name: 'long.example', ttl: 0, data }))
  return readAnswer(encode({ type: 'response', questions: [{ type: 'TXT', name: 'long.example' }], answers }))
}

suite('resolver', () => {
  test('refuses more than 1024 waiting questions of one container, not those of another', async () => {
    let asked = 0
    const resolver = resolverOf(() => {
      asked++
      return new Promise(() => {})
    })
    for (let index = 0; index < 1024; index++) void resolver.answer(question('greedy', `${index}.example`))
    const refused = await resolver.answer(question('greedy', 'more.example'))
    assert.equal((refused?.readUInt16BE(2) ?? 0) & 0xf, 5)
    void resolver.answer(question('other', 'one.example'))
    assert.equal(asked, 1025)
  })

  test('sends no datagram of more than 4096 bytes, whatever the client says', async () => {
    const resolver = resolverOf(async () => long())
    const answer = (await resolver.answer(question('web', 'long.example', 65_535))) ?? Buffer.alloc(0)
    assert.ok(answer.length > 3800 && answer.length <= 4096, `${answer.length} bytes`)
    assert.equal(decode(answer).flag_tc, true)
  })
})
