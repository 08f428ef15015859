import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseSecurityOptions } from './security.ts'

let directory: string
before(() => (directory = mkdtempSync(join(tmpdir(), 'opts-'))))
after(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

describe('parseSecurityOptions', () => {
  it('inlines a seccomp profile and takes systempaths away', () => {
    const path = file('profile.json', '{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}')
    assert.deepEqual(parseSecurityOptions([`seccomp=${path}`, 'no-new-privileges', 'systempaths=unconfined', 'label:disable']), {
      options: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}', 'no-new-privileges', 'label:disable'],
      maskedPaths: [],
      readonlyPaths: [],
    })
  })

  it('leaves built-in profiles to the daemon', () => {
    assert.deepEqual(parseSecurityOptions(['seccomp=unconfined']).options, ['seccomp=unconfined'])
  })

  it('refuses what it cannot read', () => {
    assert.throws(() => parseSecurityOptions(['foo']), { message: 'Invalid --security-opt: "foo"' })
    assert.throws(() => parseSecurityOptions(['seccomp=/nonexistent']), /opening seccomp profile \(\/nonexistent\) failed/)
    assert.throws(() => parseSecurityOptions([`seccomp=${file('broken.json', '{')}`]), /compacting json for seccomp profile/)
  })
})
