import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goFileMode, posixFileMode } from './go-file-mode.ts'

test('goFileMode and posixFileMode are each other’s inverse for all that Linux has', () => {
  const modes: [posix: number, go: number][] = [
    [0o100644, 0o644],
    [0o104755, 0x800000 + 0o755],
    [0o041777, 0x80000000 + 0x100000 + 0o777],
    [0o120777, 0x8000000 + 0o777],
    [0o020600, 0x4000000 + 0x200000 + 0o600],
    [0o060600, 0x4000000 + 0o600],
    [0o010600, 0x2000000 + 0o600],
    [0o140755, 0x1000000 + 0o755],
  ]
  for (const [posix, go] of modes) assert.deepEqual([goFileMode(posix), posixFileMode(go)], [go, posix], posix.toString(8))
})

test('posixFileMode knows no irregular files', () => {
  assert.equal(posixFileMode(1 << 19 /* ModeIrregular */), 0o100000)
  assert.equal(posixFileMode(0x80000000 + 0x8000000), undefined)
})
