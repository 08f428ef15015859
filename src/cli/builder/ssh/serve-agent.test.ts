import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SshAgent } from './agent.ts'
import { framed } from './message-frames.ts'
import { serveAgent } from './serve-agent.ts'

/** An agent that repeats what it hears. */
function echo(): { agent: SshAgent; heard: number[]; ended: () => boolean } {
  const heard: number[] = []
  let isEnded = false
  const agent: SshAgent = async () => ({
    async ask(message) {
      heard.push(message[0] ?? 0)
      return message
    },
    [Symbol.dispose]: () => void (isEnded = true),
  })
  return { agent, heard, ended: () => isEnded }
}

async function* chunks(...parts: Buffer[]): AsyncGenerator<Buffer> {
  yield* parts
}

async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source))
}

test('serveAgent puts messages together, however they are cut', async () => {
  const { agent, heard, ended } = echo()
  const bytes = Buffer.concat([framed(Buffer.of(11)), framed(Buffer.from([13, 1, 2, 3]))])
  const single = [...bytes].map((byte) => Buffer.of(byte))
  assert.deepEqual(await all(serveAgent(agent, chunks(...single))), bytes)
  assert.deepEqual(await all(serveAgent(agent, chunks(bytes))), bytes)
  assert.deepEqual(heard, [11, 13, 11, 13])
  assert.ok(ended())
})

test('serveAgent lets a build neither change nor lock the agent', async () => {
  const { agent, heard } = echo()
  // Add, remove, remove all, lock, add with constraints, extension; and a message of no kind.
  const messages = [17, 18, 19, 22, 25, 27].map((type) => Buffer.of(type))
  const answers = await all(serveAgent(agent, chunks(...messages.map(framed), framed(Buffer.alloc(0)))))
  assert.deepEqual(answers, Buffer.concat(Array(7).fill(framed(Buffer.of(5)))))
  assert.deepEqual(heard, [])
})

test('serveAgent ends with an error at a message that is too long', async () => {
  const { agent, ended } = echo()
  await assert.rejects(all(serveAgent(agent, chunks(Buffer.of(0, 4, 0, 1, 11)))), /too long/)
  assert.ok(ended())
})
