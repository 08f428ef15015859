import assert from 'node:assert/strict'
import { Duplex, PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { DEFAULT_DETACH_KEYS } from './detach-keys.ts'
import { pump, type PumpOptions } from './pump.ts'
import { settle } from './testing/fake-clock.ts'

const OPTIONS: PumpOptions = { stdin: true, detachKeys: undefined, onStdinEnd: 'close', onDetach: () => undefined }

/** One end of a connection and what is at the other end of it. */
function connection(): { end: Duplex; sent: PassThrough; received: PassThrough } {
  const [sent, received] = [new PassThrough(), new PassThrough()]
  return { end: duplexPair(sent, received), sent, received }
}

/** The types know only the forms of `Duplex.from` that take one stream. */
function duplexPair(readable: PassThrough, writable: PassThrough): Duplex {
  return (Duplex.from as (pair: object) => Duplex)({ readable, writable })
}

function parties(options: Partial<PumpOptions> = {}) {
  const [client, process] = [connection(), connection()]
  return { client, process, done: pump(client.end, process.end, { ...OPTIONS, ...options }) }
}

describe('pump', () => {
  it('moves bytes both ways and ends the client after the last output', async () => {
    const { client, process, done } = parties()
    client.sent.write('in')
    process.sent.end('out')
    await done
    assert.equal(String(process.received.read()), 'in')
    assert.equal(String(client.received.read()), 'out')
    assert.equal(client.end.writableEnded, true)
  })

  it('closes the input of the process with the input of the client, and goes on with the output', async () => {
    const { client, process, done } = parties()
    client.sent.end()
    await settle()
    assert.equal(process.received.writableEnded, true)
    process.sent.end('later')
    await done
    assert.equal(String(client.received.read()), 'later')
  })

  it('leaves when the input ends and that means to leave', async () => {
    const { client, process, done } = parties({ onStdinEnd: 'leave' })
    client.sent.end()
    await done
    assert.equal(process.end.destroyed, true)
  })

  it('drops what is sent where nothing may be sent, and goes on after its end', async () => {
    const { client, process, done } = parties({ stdin: false })
    client.sent.end('dropped')
    await settle()
    process.sent.end('out')
    await done
    assert.equal(process.received.read(), null)
    assert.equal(String(client.received.read()), 'out')
  })

  it('leaves the process alone after the detach keys', async () => {
    let detached = 0
    const { client, process, done } = parties({ detachKeys: DEFAULT_DETACH_KEYS, onDetach: () => detached++ })
    client.sent.write(Buffer.from([97, 16, 17, 98]))
    await done
    assert.equal(detached, 1)
    assert.equal(String(process.received.read()), 'a')
  })

  it('ends when the client vanishes', async () => {
    const { client, process, done } = parties()
    client.end.destroy(new Error('reset'))
    await done
    assert.equal(process.end.destroyed, true)
  })

  it('awaits the result before it ends the client', async () => {
    const result = Promise.withResolvers<void>()
    const { client, process, done } = parties({ beforeEnd: () => result.promise })
    process.sent.end()
    await settle()
    assert.equal(client.end.writableEnded, false)
    result.resolve()
    await done
    assert.equal(client.end.writableEnded, true)
  })
})
