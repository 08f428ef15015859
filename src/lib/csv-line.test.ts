import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { splitCsvLine } from './csv-line.ts'

describe('splitCsvLine', () => {
  it('reads quoted fields', () => {
    assert.deepEqual(splitCsvLine('a,"b,""c""",d'), ['a', 'b,"c"', 'd'])
    assert.deepEqual(splitCsvLine('a,,'), ['a', '', ''])
  })

  it("throws Go's texts", () => {
    assert.throws(() => splitCsvLine('a"b'), /bare " in non-quoted-field/)
    assert.throws(() => splitCsvLine('"ab'), /extraneous or missing " in quoted-field/)
  })
})
