import assert from 'node:assert/strict'
import { it } from 'node:test'
import { withoutLogin } from './without-login.ts'

it('withoutLogin takes logins out of web addresses', () => {
  const cases: [string, string][] = [
    ['https://me:secret@host:1/x@y', 'https://host:1/x@y'],
    ['HTTP://token@host/x', 'HTTP://host/x'],
    ['https://a@b:c@host/x', 'https://host/x'],
    ['https://host/x?mail=a@b', 'https://host/x?mail=a@b'],
    ['https://host#a@b', 'https://host#a@b'],
    ['ssh://git@host/x', 'ssh://git@host/x'],
    ['git@host:x', 'git@host:x'],
  ]
  for (const [address, shown] of cases) assert.equal(withoutLogin(address), shown)
})
