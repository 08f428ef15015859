import assert from 'node:assert/strict'
import { it } from 'node:test'
import { logfmt } from './logfmt.ts'

it('logfmt quotes what could be read as another field or line', () => {
  assert.equal(
    logfmt({ level: 'info', msg: 'a b', path: '/v2/', evil: 'x\ny=1', n: 3, o: { a: 1 } }),
    'level=info msg="a b" path=/v2/ evil="x\\ny=1" n=3 o="{\\"a\\":1}"',
  )
})
