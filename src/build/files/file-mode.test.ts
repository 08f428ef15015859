import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseMode } from './file-mode.ts'

describe('parseMode', () => {
  // What GNU chmod makes of the same, with umask 022.
  for (const [mode, before, expected, isDirectory] of [
    [0o4755, 0o600, 0o4755, false],
    ['0755', 0o4600, 0o755, false],
    ['1777', 0o600, 0o1777, true],
    ['u+x', 0o644, 0o744, false],
    ['+x', 0o644, 0o755, false],
    ['+w', 0o444, 0o644, false],
    ['-w', 0o666, 0o466, false],
    ['a+w', 0o444, 0o666, false],
    ['go-rwx', 0o777, 0o700, false],
    ['u=rw,g=r,o=', 0o777, 0o640, false],
    ['a=rX', 0o600, 0o444, false],
    ['a=rX', 0o700, 0o555, false],
    ['a=rX', 0o600, 0o555, true],
    ['u=rwX,go=rX', 0o640, 0o644, false],
    ['g=u', 0o640, 0o660, false],
    ['o=g-w', 0o660, 0o664, false],
    ['u+s,g+s', 0o755, 0o6755, false],
    ['u=rwx', 0o6644, 0o2744, false],
    ['a=rx', 0o2755, 0o2555, true],
    ['+t', 0o755, 0o1755, true],
    ['u+r-w+x', 0o200, 0o500, false],
  ] as const) {
    it(`makes ${expected.toString(8)} of ${before.toString(8)} by ${typeof mode === 'number' ? mode.toString(8) : mode}`, () => {
      assert.equal(parseMode(mode)(before, isDirectory).toString(8), expected.toString(8))
    })
  }

  it('refuses what chmod refuses', () => {
    for (const mode of ['', '888', 'x', 'u', 'z+x', 'u+z', 'u=rw,', '755x']) {
      assert.throws(() => parseMode(mode), { code: 'INVALID_ARGUMENT', message: `invalid mode: ${JSON.stringify(mode)}` }, mode)
    }
  })
})
