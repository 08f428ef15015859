import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseJsonList, parseList, splitFlags, splitWords } from './split-words.ts'

describe('splitWords', () => {
  const TABLE: readonly (readonly [text: string, words: readonly string[]])[] = [
    ['a=b c=d', ['a=b', 'c=d']],
    ['a="b c"  d', ['a="b c"', 'd']],
    ["a='b \\' c", ["a='b \\'", 'c']],
    ['a\\ b c', ['a\\ b', 'c']],
    ['a="\\" b"', ['a="\\" b"']],
    ['a\\', ['a']],
    ['"a b', ['"a b']],
    ['a="" b=', ['a=""', 'b=']],
    ['  ', []],
  ]
  for (const [text, words] of TABLE) it(`splits ${text}`, () => assert.deepEqual(splitWords(text, '\\'), words))

  it('takes the other escape character', () => assert.deepEqual(splitWords('a` b\\ c', '`'), ['a` b\\', 'c']))
})

describe('parseJsonList', () => {
  it('gives the texts', () => assert.deepEqual(parseJsonList(' ["a", "\\u00e9"]'), ['a', 'é']))
  it('is undefined for what is no JSON', () => {
    assert.equal(parseJsonList("['a']"), undefined)
    assert.equal(parseJsonList('[ -f x ] && y'), undefined)
    assert.equal(parseJsonList('{}'), undefined)
  })
  it('refuses other values than texts', () => assert.throws(() => parseJsonList('["a", 1]'), /arrays must be comprised of strings only/))
})

describe('parseList', () => {
  it('splits at blanks whatever is quoted', () => assert.deepEqual(parseList('"a  b"\tc'), ['"a', 'b"', 'c']))
})

describe('splitFlags', () => {
  it('separates flags and arguments', () => {
    assert.deepEqual(splitFlags('--from=a --link  src dst '), { flags: ['--from=a', '--link'], rest: 'src dst' })
  })
  it('resolves quotes and escapes in flags', () => {
    assert.deepEqual(splitFlags(`--a="b c" --d='e "' --f=g\\ h x`), { flags: ['--a=b c', '--d=e "', '--f=g h'], rest: 'x' })
  })
  it('ends at two dashes', () => assert.deepEqual(splitFlags('--a=1 -- --b x'), { flags: ['--a=1'], rest: '--b x' }))
  it('leaves flags behind arguments alone', () => assert.deepEqual(splitFlags('x --a'), { flags: [], rest: 'x --a' }))
  it('takes a line of flags only', () => assert.deepEqual(splitFlags('--a'), { flags: ['--a'], rest: '' }))
})
