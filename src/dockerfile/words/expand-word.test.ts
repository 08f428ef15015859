import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ExpandOptions } from '../types.ts'
import { expandWord } from './expand-word.ts'

const VARIABLES = new Map([
  ['A', 'foo/bar/baz.tar.gz'],
  ['EMPTY', ''],
  ['SPACED', 'a  b'],
  ['PWD', '/home'],
  ['日本', 'jp'],
])

function expand(word: string, options: Partial<ExpandOptions> = {}): string {
  return expandWord(word, VARIABLES, { escape: '\\', ...options }).text
}

describe('expandWord', () => {
  const TABLE: readonly (readonly [word: string, text: string])[] = [
    ['hello', 'hello'],
    ["he'll'o", 'hello'],
    ["'$A'", '$A'],
    ['"$PWD"', '/home'],
    ['"it\'s $PWD"', "it's /home"],
    ['\\$A', '$A'],
    ['"\\$A"', '$A'],
    ['"a\\b"', 'a\\b'],
    ['a\\b', 'ab'],
    ['a\\', 'a'],
    ['"a\\\\b"', 'a\\b'],
    ['$', '$'],
    ['a$', 'a$'],
    ['$/x', '$/x'],
    ['$PWD/x', '/home/x'],
    ['$PWDx', ''],
    ['${PWD}x', '/homex'],
    ['$日本', 'jp'],
    ['$1x', 'x'],
    ['$$A', 'A'],
    ['${UNSET:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${UNSET-d}', 'd'],
    ['${PWD:-d}', '/home'],
    ['${UNSET:-${PWD}/x}', '/home/x'],
    ['${UNSET:-"}"}', '}'],
    ['${UNSET:-\\}}', '}'],
    ['${PWD:+p}', 'p'],
    ['${EMPTY:+p}', ''],
    ['${EMPTY+p}', 'p'],
    ['${UNSET+p}', ''],
    ['${PWD:?gone}', '/home'],
    ['${EMPTY?gone}', ''],
    ['${A#*/}', 'bar/baz.tar.gz'],
    ['${A##*/}', 'baz.tar.gz'],
    ['${A%.*}', 'foo/bar/baz.tar'],
    ['${A%%.*}', 'foo/bar/baz'],
    ['${A#nothing}', 'foo/bar/baz.tar.gz'],
    ['${A#???/}', 'bar/baz.tar.gz'],
    ['${A/ba?/X}', 'foo/X/baz.tar.gz'],
    ['${A//ba?/X}', 'foo/X/X.tar.gz'],
    ['${A//\\//-}', 'foo-bar-baz.tar.gz'],
    ['${A/$UNSET/X}', 'Xfoo/bar/baz.tar.gz'],
    ['${A/ba*/$PWD}', 'foo//home'],
    ['${UNSET#x}', ''],
  ]
  for (const [word, text] of TABLE) it(`makes ${JSON.stringify(text)} of ${word}`, () => assert.equal(expand(word), text))

  const ERRORS: readonly (readonly [word: string, message: string])[] = [
    ["'a", 'unexpected end of statement while looking for matching single-quote'],
    ['"a', 'unexpected end of statement while looking for matching double-quote'],
    ['${', "syntax error: missing '}'"],
    ['${A', "syntax error: missing '}'"],
    ['${A:-x', "syntax error: missing '}'"],
    ['${A/x', "syntax error: missing '/' in ${}"],
    ['${A/x/y', "syntax error: missing '}'"],
    ['${}', 'syntax error: bad substitution'],
    ['${{A}}', 'syntax error: bad substitution'],
    ['${A:=x}', 'unsupported modifier (:=) in substitution'],
    ['${A!x}', 'unsupported modifier (!) in substitution'],
    ['${UNSET:?}', 'UNSET: is not allowed to be unset'],
    ['${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
    ['${UNSET?give one}', 'UNSET: give one'],
    ['${A#\\x}', "invalid pattern (\\x) in substitution: invalid escape '\\x'"],
  ]
  for (const [word, message] of ERRORS) {
    it(`refuses ${word}`, () => {
      assert.throws(() => expand(word), { code: 'INVALID_ARGUMENT', message: `failed to process ${JSON.stringify(word)}: ${message}` })
    })
  }

  it('splits words at blanks of values, not of quotes', () => {
    const { words } = expandWord('$SPACED "$SPACED" c\\ d ""', VARIABLES, { escape: '\\' })
    assert.deepEqual(words, ['a', 'b', 'a  b', 'c d'])
  })

  it('tells which variables were set and which were not', () => {
    const { used, unset } = expandWord('$A ${X:-$Y} ${Z+$A}', VARIABLES, { escape: '\\' })
    assert.deepEqual([...used], ['A'])
    assert.deepEqual([...unset], ['Y', 'X', 'Z'])
  })

  it('takes the other escape character', () => assert.equal(expand('a\\b`$A`"', { escape: '`' }), 'a\\b$A"'))

  it('keeps what it is told to keep', () => {
    assert.equal(
      expand(`"a" 'b' \\c $UNSET \${UNSET}`, { keepQuotes: true, keepEscapes: true, keepUnset: true }),
      `"a" 'b' \\c $UNSET \${UNSET}`,
    )
    assert.equal(expand('${UNSET:-x} ${UNSET//a/b}', { keepUnset: true }), '${UNSET:-x} ${UNSET//a/b}')
  })

  it('takes quotes as characters in heredocs', () => assert.equal(expand(`it's "$PWD"`, { ignoreQuotes: true }), `it's "/home"`))

  it('refuses values that grow without end', () => {
    const large = new Map([['A', 'x'.repeat(200_000)]])
    assert.throws(() => expandWord('$A$A', large, { escape: '\\' }), /value of more than 262144 characters/)
  })

  it('refuses endless nesting', () => assert.throws(() => expand('${U:-'.repeat(200)), /nested too deeply/))
})
