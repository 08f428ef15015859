import assert from 'node:assert/strict'
import { it } from 'node:test'
import { indentJson } from './json-text.ts'

it('indentJson keeps digits, keys and escapes as they were sent', () => {
  const text = '{"b":12345678901234567890,"a":[],"o":{},"s":"x\\u003c, {y}: \\"z\\"","l":[1,{"k":null}]}'
  assert.equal(
    indentJson(text, '', '  '),
    '{\n  "b": 12345678901234567890,\n  "a": [],\n  "o": {},\n  "s": "x\\u003c, {y}: \\"z\\"",\n  "l": [\n    1,\n    {\n      "k": null\n    }\n  ]\n}',
  )
})
