import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DetachDetector, parseDetachKeys } from './detach-keys.ts'

const feed = (detector: DetachDetector, text: string): [string, boolean] => {
  const { bytes, detached } = detector.feed(Buffer.from(text))
  return [Buffer.from(bytes).toString(), detached]
}

it('parseDetachKeys reads control keys and letters', () => {
  assert.deepEqual(parseDetachKeys(''), [16, 17])
  assert.deepEqual(parseDetachKeys('ctrl-a,x,ctrl-@,ctrl-_'), [1, 120, 0, 31])
  assert.throws(() => parseDetachKeys('ctrl-1'), /Unknown character/)
})

it('DetachDetector holds back what may be the sequence', () => {
  const detector = new DetachDetector([16, 17])
  assert.deepEqual(feed(detector, 'a\x10'), ['a', false])
  assert.deepEqual(feed(detector, 'b'), ['\x10b', false])
  assert.deepEqual(feed(detector, '\x10\x10'), ['\x10', false])
  assert.deepEqual(feed(detector, '\x11rest'), ['', true])
})

it('DetachDetector finds the sequence in one piece and passes what is before it', () => {
  assert.deepEqual(feed(new DetachDetector([16, 17]), 'abc\x10\x11'), ['abc', true])
})
