import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { suite, test } from 'node:test'
import { converse } from './tcp-conversation.ts'
import { frame } from './tcp-framing.ts'

/** A connection whose client asks by `push`, and reads what is `written` as fast as `write` says. */
function connection(write: (done: () => void) => void = (done) => done()): { socket: Socket; written: Buffer[] } {
  const written: Buffer[] = []
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk)
      write(done)
    },
  })
  return { socket: Object.assign(duplex, { setTimeout: () => duplex }) as unknown as Socket, written }
}

function questions(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => frame(Buffer.of(index & 0xff))))
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

suite('converse', () => {
  test('answers all questions of a chunk, and of the chunk behind it', async () => {
    const { socket, written } = connection()
    converse(socket, async (message) => message)
    socket.push(questions(100))
    socket.push(questions(50))
    await turns(20)
    assert.deepEqual(Buffer.concat(written), Buffer.concat([questions(100), questions(50)]))
  })

  test('asks no more than 32 at once, and the next when one is answered', async () => {
    const { socket } = connection()
    const open: (() => void)[] = []
    converse(socket, () => new Promise((resolve) => open.push(() => resolve(undefined))))
    socket.push(questions(20))
    socket.push(questions(20))
    await turns(5)
    assert.equal(open.length, 32)
    open[0]?.()
    await turns(2)
    assert.equal(open.length, 33)
  })

  test('leaves questions answered at once for the next turns', async () => {
    const { socket } = connection()
    let asked = 0
    converse(socket, async () => void asked++)
    socket.push(questions(1000))
    await turns(2)
    assert.ok(asked >= 32 && asked <= 96, `${asked}`)
    await turns(40)
    assert.equal(asked, 1000)
  })

  test('lets a client go that does not read', async () => {
    const { socket } = connection(() => {})
    let asked = 0
    converse(socket, async () => {
      asked++
      return Buffer.alloc(60_000)
    })
    socket.push(questions(1000))
    await turns(40)
    assert.equal(socket.destroyed, true)
    assert.ok(asked <= 64)
  })

  test('ends the connection when there can be no answer', async () => {
    const { socket } = connection()
    converse(socket, () => Promise.reject(new Error('no')))
    socket.push(questions(1))
    await turns(2)
    assert.equal(socket.destroyed, true)
  })
})
