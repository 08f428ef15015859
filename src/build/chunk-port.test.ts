import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { receivedChunks, sendChunks } from './chunk-port.ts'

const never = new AbortController().signal

function openChannel(): Disposable & { near: MessagePort; far: MessagePort } {
  const { port1: near, port2: far } = new MessageChannel()
  return {
    near,
    far,
    [Symbol.dispose]() {
      near.close()
      far.close()
    },
  }
}

describe('sendChunks', () => {
  it('sends all in order, and leaves the chunks as they are', async () => {
    using channel = openChannel()
    const chunks = Array.from({ length: 50 }, (_, index) => Buffer.from(`${index} `))
    const sending = sendChunks(channel.near, streamOf(chunks), never)
    let text = ''
    for await (const chunk of receivedChunks(channel.far)) text += chunk.toString()
    await sending
    assert.equal(text, Buffer.concat(chunks).toString())
    assert.equal(chunks[7]?.toString(), '7 ')
  })

  it('waits for a receiver that takes nothing', async () => {
    using channel = openChannel()
    const abort = new AbortController()
    let asked = 0
    const sending = sendChunks(
      channel.near,
      (async function* () {
        for (; ; asked++) yield Buffer.from('x')
      })(),
      abort.signal,
    )
    for (let turns = 0; turns < 100; turns++) await setImmediate()
    assert.ok(asked < 10, String(asked))
    abort.abort(new Error('given up'))
    await assert.rejects(sending, /given up|aborted/)
  })

  it('tells the receiver of what the chunks fail with', async () => {
    using channel = openChannel()
    const failing = (async function* () {
      yield Buffer.from('x')
      throw new Error('connection lost')
    })()
    const sending = sendChunks(channel.near, failing, never)
    sending.catch(() => {})
    await assert.rejects(async () => {
      for await (const _ of receivedChunks(channel.far));
    }, /connection lost/)
    await assert.rejects(sending, /connection lost/)
  })
})

describe('receivedChunks', () => {
  it('fails when the sender goes', async () => {
    using channel = openChannel()
    const receiving = receivedChunks(channel.far).next()
    channel.near.close()
    await assert.rejects(receiving, /the sender has gone/)
  })
})

async function* streamOf(chunks: Iterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  yield* chunks
}
