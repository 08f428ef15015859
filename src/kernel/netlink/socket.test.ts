import assert from 'node:assert/strict'
import { closeSync, fstatSync, writeSync } from 'node:fs'
import { suite, test } from 'node:test'
import { createSystemCalls, syscallError, type SystemCalls } from '../ffi/system-calls.ts'
import { MessageWriter } from './message.ts'
import { encodeDumpLinks, encodeGetLink } from './route-messages.ts'
import { NETLINK_ROUTE, openNetlinkSocket } from './socket.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
/** The protocol by which any user may send to any other. */
const NETLINK_USERSOCK = 2
const EPERM = 1
const ENODEV = 19

/** Real system calls that tell the last socket's descriptor; those named `refused` fail. */
function watchedSystemCalls(refused?: string): SystemCalls & { fd: number } {
  const system = createSystemCalls()
  const watched: SystemCalls & { fd: number } = {
    fd: -1,
    attempt: (name, ...args) => system.attempt(name, ...args),
    call(name, ...args) {
      if (name === refused) throw syscallError(name, EPERM, [])
      const result = system.call(name, ...args)
      if (name === 'socket') watched.fd = result
      return result
    },
  }
  return watched
}

suite('netlink socket', () => {
  test('takes nothing from other processes', () => {
    const system = watchedSystemCalls()
    using _socket = openNetlinkSocket(system, NETLINK_USERSOCK)
    const address = Buffer.alloc(12)
    system.call('getsockname', system.fd, address, Buffer.of(address.length, 0, 0, 0))
    assert.notEqual(address.readUInt32LE(4), 0, 'it has a port id, by which others can reach it')
    const stranger = system.call('socket', AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)
    try {
      system.call('connect', stranger, address, address.length)
      assert.throws(() => writeSync(stranger, Buffer.alloc(16)), { code: 'ECONNREFUSED' })
    } finally {
      closeSync(stranger)
    }
  })

  test('leaves no descriptor behind when it cannot be set up', () => {
    for (const refused of ['setsockopt', 'connect']) {
      const system = watchedSystemCalls(refused)
      assert.throws(() => openNetlinkSocket(system, NETLINK_USERSOCK), { code: 'EPERM' })
      assert.throws(() => fstatSync(system.fd), { code: 'EBADF' })
    }
  })

  test('refuses a reply that takes too much memory, and is fit for the next request', async () => {
    const links = new MessageWriter()
    encodeDumpLinks(links)
    const missing = new MessageWriter()
    encodeGetLink(missing, { name: 'gantry-none' })
    using socket = openNetlinkSocket(createSystemCalls(), NETLINK_ROUTE, 512) // for one short answer
    assert.throws(() => socket.exchange(links.finish()), { code: 'EMSGSIZE' })
    await assert.rejects(socket.exchangeInBackground(links.finish()), { code: 'EMSGSIZE' })
    assert.equal(socket.exchange(missing.finish()).errors[0]?.errno, ENODEV)
  })
})
