import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { checkContentType, parseJson, readBody } from './json-body.ts'

const parse = (text: string): unknown => parseJson(Buffer.from(text))

test('parseJson says what is wrong in the words of Go', () => {
  const complaints: Record<string, string> = {
    '{': 'invalid JSON: unexpected EOF',
    '{"a"': 'invalid JSON: unexpected EOF',
    '{"a":tru': 'invalid JSON: unexpected EOF',
    '"abc': 'invalid JSON: unexpected EOF',
    '   ': 'invalid JSON: got EOF while reading request body',
    hello: "invalid JSON: invalid character 'h' looking for beginning of value",
    '{a:1}': "invalid JSON: invalid character 'a' looking for beginning of object key string",
    '{"a" 1}': "invalid JSON: invalid character '1' after object key",
    '{"a":1 "b"}': `invalid JSON: invalid character '"' after object key:value pair`,
    '[1 2]': "invalid JSON: invalid character '2' after array element",
    '[1,]': "invalid JSON: invalid character ']' looking for beginning of value",
    '{"a":"\n"}': "invalid JSON: invalid character '\\n' in string literal",
    '{"a":"\\x"}': "invalid JSON: invalid character 'x' in string escape code",
    '{} {}': 'unexpected content after JSON',
    '{"a":1}garbage': 'unexpected content after JSON',
  }
  for (const [text, message] of Object.entries(complaints)) assert.throws(() => parse(text), { code: 'INVALID_ARGUMENT', message }, text)
})

test('parseJson takes one value, and nothing', () => {
  assert.deepEqual(parse(' {"a":[1,"]"]} \n'), { a: [1, ']'] })
  assert.equal(parse(''), undefined)
})

test('parseJson refuses what nests too deep, before and after it is valid', () => {
  assert.throws(() => parse('['.repeat(20_000)), { message: 'invalid JSON: exceeded max depth' })
  assert.throws(() => parse('['.repeat(20_000) + ']'.repeat(20_000)), { message: 'invalid JSON: exceeded max depth' })
  assert.equal(parse(JSON.stringify('['.repeat(20_000))), '['.repeat(20_000))
})

test('readBody stops at its limit', async () => {
  await assert.rejects(readBody(Readable.from([Buffer.alloc(6), Buffer.alloc(6)]), 10), { message: 'http: request body too large' })
  assert.equal((await readBody(Readable.from([Buffer.from('ab'), Buffer.from('c')]), 3)).toString(), 'abc')
})

test('checkContentType wants JSON where there is a body', () => {
  checkContentType({}, false)
  checkContentType({ 'content-type': 'application/json' }, true)
  checkContentType({ 'content-type': 'Application/JSON; charset=utf-8' }, true)
  assert.throws(() => checkContentType({}, true), { message: 'malformed Content-Type header (): mime: no media type' })
  assert.throws(() => checkContentType({ 'content-type': 'text/plain' }, true), {
    message: "unsupported Content-Type header (text/plain): must be 'application/json'",
  })
})
