import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseSignal, requireKnownSignal } from './signals.ts'

describe('parseSignal', () => {
  it('reads numbers and names in every spelling', () => {
    for (const [text, number] of [
      ['9', 9],
      ['SIGKILL', 9],
      ['kill', 9],
      ['HUP', 1],
      ['SIGRTMIN+3', 37],
      ['RTMAX-1', 63],
      ['RTMIN', 34],
    ] as const) {
      assert.equal(parseSignal(text), number, text)
    }
  })

  it("refuses the rest with Docker's text", () => {
    for (const bad of ['0', 'SIGNOPE', '', 'RTMIN+16']) assert.throws(() => parseSignal(bad), { message: `invalid signal: ${bad}` })
  })
})

describe('requireKnownSignal', () => {
  it('refuses numbers no signal has', () => {
    assert.doesNotThrow(() => requireKnownSignal(64))
    assert.throws(() => requireKnownSignal(99), { message: 'the linux daemon does not support signal 99' })
    assert.throws(() => requireKnownSignal(-1), { code: 'INVALID_ARGUMENT' })
  })
})
