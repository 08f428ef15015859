import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createIgnoreMatcher } from './create-ignore-matcher.ts'
import { parseIgnoreFile } from './parse-ignore-file.ts'

describe('parseIgnoreFile', () => {
  it('cleans patterns', () => {
    const text = '\uFEFF# comment\r\n\n  /a/b/  \n!  /c\n./d\ne/../f\n # no comment\n/\n'
    assert.deepEqual(parseIgnoreFile(text), ['a/b', '!c', 'd', 'f', '# no comment', '/'])
  })
  it('refuses huge files', () => assert.throws(() => parseIgnoreFile('a\n'.repeat(600_000)), /greater than max allowed size/))
})

describe('createIgnoreMatcher', () => {
  const TABLE: readonly (readonly [patterns: string, ignored: string, kept: string])[] = [
    ['a', 'a a/b a/b/c', 'b ab b/a'],
    ['a/b', 'a/b a/b/c', 'a a/c'],
    ['*', 'a a/b', ''],
    ['*.md', 'x.md .md', 'd/x.md x.mdx'],
    ['*/*.md', 'd/x.md', 'x.md d/e/x.md'],
    ['**/*.md', 'x.md d/x.md d/e/x.md', 'x.txt'],
    ['**', 'a a/b/c', ''],
    ['a/**', 'a/b a/b/c', 'a b'],
    ['a/**/c', 'a/c a/b/c a/b/b/c', 'a/b ac'],
    ['**/a', 'a b/a b/c/a b/a/x', 'ba'],
    ['**a', 'a ba b/ca', 'ab'],
    ['a**b', 'ab a/b ax/b', 'axb'],
    ['**/a/**', 'a/b x/a/b', 'a x/a'],
    ['?', 'a', 'ab'],
    ['a?c', 'abc', 'a/c ac'],
    ['[a-c]x', 'ax bx', 'dx'],
    ['[^a-c]x', 'dx', 'ax'],
    ['a\\*b', 'a*b', 'axb ab'],
    ['a\\\\', 'a\\', 'a'],
    ['a**/*.txt', 'a/f.txt a/d/f.txt a/d/e/f.txt', 'f.txt b/a.txt'],
    ['**/**/*.txt', 'f.txt d/f.txt d/e/f.txt', 'f.txt2'],
    ['a/*.txt**', 'a/f.txt a/f.txt2 a/f.txt/x', 'a/d/f.txt'],
    ['**/f*txt', 'ftxt d/f.txt d/e/file.txt', 'd/f/x.txt'],
    ['a*b?c*x', 'abxbbxdbxebxczzx', 'abxbbxdbxebxczzy'],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f axbxcxdxexxx/f', 'axbxcxdxe/xxx/f'],
    ['a?b', 'a☺b', 'ab a/b a☺☺b'],
    ['a[^a]b', 'a☺b', 'aab a/b'],
    ['[a-ζ]*', 'α a', 'A'],
    ['[\\]a]', '] a', 'b'],
    ['[x\\-]', 'x -', 'z'],
    ['[\\-x]', 'x -', 'a'],
    ['a.|)$(}+{bc', 'a.|)$(}+{bc', 'a'],
    ['** !d/web d/web/x', 'd/web/x d/other', 'd/web/y'],
    ['** !d/*.whl', 'd/x d/e/a.whl', 'd/a-1.0+g0.whl'],
    ['docs/ !docs/a', 'docs/b', 'docs/a'],
    ['a.c', 'a.c', 'abc'],
    ['a+(b)|{c}$', 'a+(b)|{c}$', 'aab'],
    ['* !a', 'b', 'a a/b'],
    ['a !a/b', 'a/c', 'a/b a/b/x'],
    ['!a a', 'a', ''],
    ['a/* !a/b a/b/c', 'a/x a/b/c', 'a/b a/b/d'],
    ['**/*.log !keep.log', 'a.log d/keep.log', 'keep.log'],
  ]
  for (const [patterns, ignored, kept] of TABLE) {
    it(`reads ${patterns}`, () => {
      const matcher = createIgnoreMatcher(patterns.split(' '))
      for (const path of ignored.split(' ')) assert.equal(matcher.ignores(path), true, path)
      for (const path of kept.split(' ')) if (path !== '') assert.equal(matcher.ignores(path), false, path)
    })
  }

  it('prunes ignored directories in which no exception may be', () => {
    const matcher = createIgnoreMatcher(['a', 'b', '!b/c', 'd', '!d/*/x', 'e', 'f/g', '!f'])
    assert.equal(matcher.hasExceptions, true)
    assert.equal(matcher.prunes('a'), true)
    assert.equal(matcher.prunes('b'), false)
    assert.equal(matcher.prunes('d'), false)
    assert.equal(matcher.prunes('d/y'), false)
    assert.equal(matcher.prunes('e/deep'), true)
    assert.equal(matcher.prunes('other'), false)
  })

  it('knows exceptions that a later pattern undoes', () => {
    const below = (patterns: string, directory: string): boolean => createIgnoreMatcher(patterns.split(' ')).mayExceptBelow(directory)
    assert.equal(below('!a/b a', 'a'), false)
    assert.equal(below('!a/b a', ''), false)
    assert.equal(below('!a/b a/b', 'a'), false)
    assert.equal(below('!a/b c', 'a'), true)
    assert.equal(below('!a/b a !a/c', 'a'), true)
    // Of a pattern it is not known what it names.
    assert.equal(below('!a/* a', 'a'), true)
    assert.equal(createIgnoreMatcher(['!a/b', 'a']).prunes('a'), true)
  })

  it('refuses malformed patterns', () => {
    for (const pattern of ['[a', '[', '[]', '[]a]', '[a-]', '[-]', '[-x]', '[a-b-c]', '[^', '[^bc', 'a[', 'a\\', '[z-a]', '[Local-Only]']) {
      assert.throws(() => createIgnoreMatcher([pattern]), { message: `syntax error in pattern: ${JSON.stringify(pattern)}` })
    }
    assert.throws(() => createIgnoreMatcher(['!']), /illegal exclusion pattern: "!"/)
  })

  it('decides alike in whatever order paths come', () => {
    const patterns = ['a', '!a/b', 'a/b/c', '**/x', '!d/**/x']
    const paths = ['a/b/c/d', 'a', 'd/e/x/f', 'a/b', 'x', 'd/e/x', 'a/b/x/y', 'e/x/y', 'a/b/c', 'd/x']
    const fresh = paths.map((path) => createIgnoreMatcher(patterns).ignores(path))
    const matcher = createIgnoreMatcher(patterns)
    assert.deepEqual(
      [...paths, ...paths].map((path) => matcher.ignores(path)),
      [...fresh, ...fresh],
    )
    assert.deepEqual(fresh, [true, true, false, false, true, false, true, true, true, false])
  })

  it('forgets directories without deciding otherwise', () => {
    const matcher = createIgnoreMatcher(['**/skip', '!**/skip/not'])
    for (let i = 0; i < 1000; i++) {
      assert.equal(matcher.ignores(`d${i}/skip/f`), true)
      assert.equal(matcher.ignores(`d${i}/skip/not`), false)
      assert.equal(matcher.ignores(`d${i}/f`), false)
    }
  })

  it('takes paths that cannot be for not ignored', () => assert.equal(createIgnoreMatcher(['**']).ignores('a/'.repeat(40_000)), false))

  it('gives up when patterns and paths together take too long', () => {
    const patterns = Array.from({ length: 5000 }, (_, index) => `${'*a'.repeat(50)}b${index}*`)
    assert.throws(() => createIgnoreMatcher(patterns).ignores('a'.repeat(255)), { message: 'ignore patterns take too much work' })
    const many = createIgnoreMatcher(['*x*y*', '**/node_modules/**', '*'])
    for (let index = 0; index < 2000; index++) assert.equal(many.ignores(`directory/of/something/file-${index}.txt`), true)
  })

  it('is done soon with many wildcards', () => {
    const matcher = createIgnoreMatcher([`${'*a'.repeat(50)}b`, `${'**/a'.repeat(50)}b`])
    assert.equal(matcher.ignores('a'.repeat(2000)), false)
    assert.equal(matcher.ignores('a/'.repeat(100)), false)
  })
})
