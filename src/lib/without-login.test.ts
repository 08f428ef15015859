import assert from 'node:assert/strict'
import { it } from 'node:test'
import { withoutLogin } from './without-login.ts'

it('withoutLogin takes logins out of addresses, and leaves other texts alone', () => {
  const cases: [string, string][] = [
    ['https://me:secret@host:1/x@y', 'https://host:1/x@y'],
    ['HTTP://token@host/x', 'HTTP://host/x'],
    ['https://a@b:c@host/x', 'https://host/x'],
    ['https://host/x?mail=a@b', 'https://host/x?mail=a@b'],
    ['https://host#a@b', 'https://host#a@b'],
    ['ftp://me:secret@host/a', 'ftp://host/a'],
    ['ssh://me:se@cret@host/a', 'ssh://host/a'],
    ['ssh://git@host/x', 'ssh://git@host/x'],
    ['git@host:x', 'git@host:x'],
    ['me@example.com', 'me@example.com'],
  ]
  for (const [address, shown] of cases) assert.equal(withoutLogin(address), shown)
})
