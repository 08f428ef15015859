import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineEvent } from '#events'
import { encodeEvent } from './event.ts'

const event: EngineEvent = {
  type: 'container',
  action: 'start',
  actor: { id: 'c1', attributes: { image: 'busybox', name: 'web' } },
  timeNano: 1_767_225_600_123_456_789n,
}

test('encodeEvent keeps every digit of the time', () => {
  assert.equal(
    JSON.stringify(encodeEvent(event, 52)),
    '{"Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"image":"busybox","name":"web"}},' +
      '"scope":"local","time":1767225600,"timeNano":1767225600123456789}',
  )
})

test('encodeEvent adds the three old fields before 1.52', () => {
  const { status, id, from } = encodeEvent(event, 51)
  assert.deepEqual({ status, id, from }, { status: 'start', id: 'c1', from: 'busybox' })
  const image = encodeEvent({ ...event, type: 'image', action: 'tag' }, 51)
  assert.deepEqual([image.status, image.id, image.from], ['tag', 'c1', undefined])
  assert.equal(encodeEvent({ ...event, type: 'network' }, 51).id, undefined)
})
