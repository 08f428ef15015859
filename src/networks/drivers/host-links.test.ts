import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { LinkInfo } from '#kernel'
import { createHostLinks, isOurLink } from './host-links.ts'

function link(index: number, name: string, kind = 'veth'): LinkInfo {
  return { index, name, kind, up: true, master: 0, mac: '', mtu: 1500, alias: '' }
}

suite('host links', () => {
  test('names carry the index, and go up', () => {
    const links = createHostLinks([], 0x1234567)
    assert.deepEqual(
      [links.next(), links.next()],
      [
        { index: 0x1234568, name: 'veth1234568' },
        { index: 0x1234569, name: 'veth1234569' },
      ],
    )
  })

  test('go round at the end of seven digits, and pass over what exists', () => {
    const links = createHostLinks([link(0x1000000, 'veth1000000')], 0xfffffff)
    assert.deepEqual(links.next(), { index: 0x1000001, name: 'veth1000001' })
  })

  test('start anywhere by default', () => {
    assert.ok(isOurLink({ ...link(0, ''), ...createHostLinks([]).next() }))
  })

  test('isOurLink knows other links', () => {
    assert.ok(isOurLink(link(0x1234567, 'veth1234567')))
    assert.ok(!isOurLink(link(0x1234567, 'veth7654321')))
    assert.ok(!isOurLink(link(5, 'veth5')))
    assert.ok(!isOurLink(link(0x1234567, 'veth1234567', 'bridge')))
  })
})
