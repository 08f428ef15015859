import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openRouteNetlink } from './route-netlink.ts'
import { MessageWriter } from './message.ts'
import { encodeDeleteLink } from './route-messages.ts'

/** Reading needs no privileges; changes are tested in test/integration/networks. */
suite('route netlink on a real kernel', () => {
  test('links knows lo', () => {
    using route = openRouteNetlink()
    const lo = route.links().find((link) => link.name === 'lo')
    assert.equal(lo?.index, 1)
    assert.deepEqual(route.link({ name: 'lo' }), lo)
    assert.deepEqual(route.link({ index: 1 }), lo)
  })

  test('link is undefined when there is none', () => {
    using route = openRouteNetlink()
    assert.equal(route.link({ name: 'gantry-none' }), undefined)
  })

  test('send throws what the kernel refused', () => {
    using route = openRouteNetlink()
    const writer = new MessageWriter()
    encodeDeleteLink(writer, { name: 'gantry-none' })
    // EPERM for a user, ENODEV for root.
    assert.throws(() => route.send(writer.finish()), { name: 'SyscallError', syscall: 'rtnetlink', args: ['message 1'] })
  })

  test('dumps can be repeated on one socket', () => {
    using route = openRouteNetlink()
    assert.deepEqual(route.addresses().length, route.addresses().length)
    assert.ok(Array.isArray(route.routes()))
  })
})
