import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Access } from '../types.ts'
import { createAccessList, EVERYTHING_FOR_USERS } from './access-list.ts'

const on = (name: string, action: 'pull' | 'push' | 'delete'): Access => ({ type: 'repository', name, action })
const CATALOG: Access = { type: 'registry', name: 'catalog', action: '*' }

describe('AccessList.permits', () => {
  const list = createAccessList(
    [
      { subject: { kind: 'anonymous' }, repository: 'public/**', actions: ['pull'] },
      { subject: { kind: 'user', name: '*' }, repository: 'shared/*', actions: ['pull', 'push'] },
      { subject: { kind: 'group', name: 'team' }, repository: 'team/**', actions: ['*'] },
      { subject: { kind: 'user', name: 'root' }, repository: '**', actions: ['*'] },
    ],
    new Map([['team', new Set(['alice'])]]),
  )

  it('gives what a rule gives and nothing else', () => {
    const CASES: [string | undefined, Access, boolean][] = [
      [undefined, on('public/a', 'pull'), true],
      [undefined, on('public/a', 'push'), false],
      [undefined, on('shared/a', 'pull'), false],
      ['bob', on('public/a', 'pull'), true],
      ['bob', on('shared/a', 'push'), true],
      ['bob', on('shared/a', 'delete'), false],
      ['bob', on('team/a', 'pull'), false],
      ['alice', on('team/a/b', 'delete'), true],
      ['root', on('team/a/b', 'delete'), true],
      ['*', on('team/a', 'pull'), false],
    ]
    for (const [user, access, expected] of CASES) assert.equal(list.permits(user, access), expected, `${user} ${JSON.stringify(access)}`)
  })

  it('lists repositories only for those who may pull them all', () => {
    assert.deepEqual(
      [undefined, 'alice', 'root'].map((user) => list.permits(user, CATALOG)),
      [false, false, true],
    )
  })

  it('without a list is everything for users and nothing for others', () => {
    assert.equal(EVERYTHING_FOR_USERS.permits('bob', on('a', 'delete')), true)
    assert.equal(EVERYTHING_FOR_USERS.permits(undefined, on('a', 'pull')), false)
  })
})
