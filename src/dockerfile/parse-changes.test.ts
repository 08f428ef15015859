import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseChanges } from './parse-changes.ts'

describe('parseChanges', () => {
  test('reads several instructions, and the directives in front of them', () => {
    const { escape, instructions } = parseChanges('# escape=`\nENV A=1 `\n  B=2\n\n# comment\nuser me')
    assert.equal(escape, '`')
    assert.deepEqual(
      instructions.map(({ kind, source }) => [kind, source]),
      [
        ['env', 'ENV A=1   B=2'],
        ['user', 'user me'],
      ],
    )
  })

  test('takes a text without instructions', () => assert.deepEqual(parseChanges('# nothing\n'), { escape: '\\', instructions: [] }))

  test('says which instruction changes more than a configuration, before what is wrong in others', () => {
    assert.throws(() => parseChanges('ENV A\nAdd a b'), { message: 'add is not a valid change command', code: 'INVALID_ARGUMENT' })
    assert.throws(() => parseChanges('ENV A'), { message: 'ENV must have two arguments' })
  })
})
