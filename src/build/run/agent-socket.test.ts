import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { PassThrough, type Duplex } from 'node:stream'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { openAgentSocket } from './agent-socket.ts'

describe('openAgentSocket', () => {
  let directory: string
  let fd: number
  before(() => {
    // Longer than sun_path.
    directory = join(mkdtempSync(join(tmpdir(), 'gantry-agent-')), 'x'.repeat(100))
    mkdirSync(directory)
    fd = openSync(directory, 'r')
  })
  after(() => {
    closeSync(fd)
    rmSync(join(directory, '..'), { recursive: true })
  })
  const owner = { mode: 0o640, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

  function connect(path: string): Socket {
    return createConnection({ path: `/proc/self/fd/${fd}/${basename(path)}`, allowHalfOpen: true })
  }

  it('carries bytes both ways, with the mode that was asked for', async () => {
    const path = join(directory, 'a.sock')
    await using _socket = await openAgentSocket(path, owner, async () => new PassThrough())
    assert.equal(statSync(path).mode & 0o777, 0o640)
    const client = connect(path)
    client.end('echo')
    assert.equal(await text(client), 'echo')
  })

  it('ends a connection that the agent cannot take', async () => {
    const path = join(directory, 'b.sock')
    await using _socket = await openAgentSocket(path, owner, async () => {
      throw new Error('no agent')
    })
    const client = connect(path)
    client.resume()
    await once(client, 'end')
    client.end()
  })

  it('breaks off what goes on when it is disposed, and is gone', async () => {
    const path = join(directory, 'c.sock')
    let agent: Duplex | undefined
    const socket = await openAgentSocket(path, owner, async () => (agent = new PassThrough()))
    const client = connect(path)
    client.write('hello')
    await once(client, 'data')
    const ended = once(client, 'end')
    await socket[Symbol.asyncDispose]()
    await ended
    client.end()
    assert.equal(agent?.destroyed, true)
    assert.equal(existsSync(path), false)
  })
})
