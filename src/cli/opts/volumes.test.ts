import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseVolumes } from './volumes.ts'

describe('parseVolumes', () => {
  it('tells sources from anonymous volumes and makes relative paths absolute', () => {
    assert.deepEqual(parseVolumes(['/data', 'named:/x:ro', './a:/b', '../c:/d', '/e:/f', '/data'], '/work/dir'), {
      binds: ['named:/x:ro', '/work/dir/a:/b', '/work/c:/d', '/e:/f'],
      anonymous: { '/data': {} },
    })
  })

  it('refuses malformed specifications', () => {
    assert.throws(() => parseVolumes([''], '/'), { message: 'invalid empty volume spec' })
    assert.throws(() => parseVolumes(['/a::/b'], '/'), { message: 'invalid spec: /a::/b: empty section between colons' })
  })
})
