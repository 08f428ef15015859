import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isGitRemote, parseGitUrl } from './parse-git-url.ts'

const plain = { ref: '', subdirectory: '', mayBePath: false }

describe('parseGitUrl', () => {
  it('takes remotes of all protocols', () => {
    const https = 'https://github.com/moby/moby.git'
    assert.deepEqual(parseGitUrl(https), { ...plain, remote: https, name: 'moby' })
    assert.deepEqual(parseGitUrl('git@github.com:moby/moby.git'), { ...plain, remote: 'git@github.com:moby/moby.git', name: 'moby' })
    assert.equal(parseGitUrl('git@host:moby')?.name, 'moby')
    assert.equal(parseGitUrl('ssh://git@host:22/~x/y')?.remote, 'ssh://git@host:22/~x/y')
    assert.equal(parseGitUrl('git://host/y')?.name, 'y')
  })

  it('reads ref and subdirectory behind the number sign', () => {
    const { ref, subdirectory, remote } = parseGitUrl('https://h/a.git#b%20c:d/e:f') ?? {}
    assert.deepEqual([remote, ref, subdirectory], ['https://h/a.git', 'b c', 'd/e:f'])
    assert.equal(parseGitUrl('https://h/a.git#:sub')?.subdirectory, 'sub')
    assert.equal(parseGitUrl('git@h:a.git#v1')?.ref, 'v1')
  })

  it('reads the query', () => {
    const url = parseGitUrl('https://h/a.git?branch=main&subdir=x&checksum=abc&submodules=false&keep-git-dir')
    assert.deepEqual(url, {
      ...plain,
      remote: 'https://h/a.git',
      name: 'a',
      ref: 'refs/heads/main',
      subdirectory: 'x',
      checksum: 'abc',
      submodules: false,
      keepGitDirectory: true,
    })
    assert.equal(parseGitUrl('git@h:a.git?tag=v1')?.ref, 'refs/tags/v1')
    assert.equal(parseGitUrl('https://h/a.git?commit=abcd')?.ref, 'abcd')
    assert.equal(parseGitUrl('https://h/a.git?ref=x#x')?.ref, 'x')
    assert.equal(parseGitUrl('https://h/a.git?mtime=commit')?.mtime, 'commit')
    assert.equal(parseGitUrl('https://h/a.git?commit=abcd&fetch-by-commit')?.fetchByCommit, true)
    assert.equal(parseGitUrl('https://h/a.git?tag=v1#refs/tags/v1')?.ref, 'refs/tags/v1')
    assert.equal(parseGitUrl('https://h/a.git?branch=refs/heads/x')?.ref, 'refs/heads/x')
  })

  it('refuses parts that contradict each other or are not known', () => {
    const refused: [string, string][] = [
      ['?ref=a#b', 'ref conflicts: "b" vs "a"'],
      ['?tag=a#b', 'ref conflicts: "b" vs "refs/tags/a"'],
      ['?tag=a#refs/heads/a', 'ref conflicts: "refs/heads/a" vs "refs/tags/a"'],
      ['?tag=a&branch=b', 'branch conflicts with tag'],
      ['?branch=a&ref=b', 'ref conflicts: "b" vs "refs/heads/a"'],
      ['?ref=a&ref=b', 'query "ref" has multiple values'],
      ['?ref=', 'query "ref" has no value'],
      ['?submodules=maybe', 'invalid submodules value: "maybe"'],
      ['?keep-git-dir=constructor', 'invalid keep-git-dir value: "constructor"'],
      ['?mtime=now', 'invalid mtime value: "now"'],
      ['?x=1', 'unexpected query "x"'],
    ]
    for (const [rest, message] of refused) assert.throws(() => parseGitUrl(`https://h/a.git${rest}`), { message })
    assert.throws(() => parseGitUrl('https://h/a.git#%zz'), { code: 'INVALID_ARGUMENT' })
  })

  it('leaves alone what is no Git URL', () => {
    const others = [
      '.',
      './a.git',
      '../a.git',
      '/a.git',
      'https://h/a.tar.gz',
      'http://h/a',
      'file:///a.git',
      'ext::sh -c x',
      'C:\\a.git',
      '',
    ]
    for (const text of others) assert.equal(parseGitUrl(text), undefined, text)
  })

  it('takes github.com without protocol, but says so', () => {
    assert.deepEqual(parseGitUrl('github.com/a/b#c'), { ...plain, remote: 'https://github.com/a/b', name: 'b', ref: 'c', mayBePath: true })
  })
})

describe('isGitRemote', () => {
  it('knows the protocols that are allowed', () => {
    for (const remote of ['https://h/x', 'HTTP://h/x', 'ssh://h/x', 'git://h/x', 'git@h:x']) assert.ok(isGitRemote(remote), remote)
    for (const remote of ['file:///x', '/x', 'ext::x', '-oProxyCommand=x@h:y', '-x@h:y', 'x@-h:y', 'ftp://h/x', 'h:x'])
      assert.ok(!isGitRemote(remote), remote)
  })
})
