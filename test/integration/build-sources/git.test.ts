import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { GitSource } from '../../../src/build/graph/types.ts'
import type { BuildSession } from '../../../src/build/session.ts'
import { createGitProgram } from '../../../src/build/sources/git/git-program.ts'
import { createGitSource } from '../../../src/build/sources/git/git-source.ts'
import { createKeptRepositories } from '../../../src/build/sources/git/kept-repositories.ts'
import type { KeptRepositories } from '../../../src/build/sources/git/kept-repositories.ts'
import { fakeLayers } from '../../../src/build/sources/testing/fake-layers.ts'
import type { FakeLayers } from '../../../src/build/sources/testing/fake-layers.ts'
import { fakeSession, fakeStep } from '../../../src/build/sources/testing/fake-step.ts'
import type { SourceResolver, Step } from '../../../src/build/types.ts'
import { loadFileTask } from '../../../src/build/files/file-tasks.ts'
import { createFiles } from '#kernel'
import { createInlineRunner } from '#snapshots'
import { hasGit, startGitServer } from './git-server.ts'
import type { GitServer } from './git-server.ts'
import { eventually } from '../../harness/eventually.ts'

const skip = hasGit() ? false : 'git is not installed'
const TOKEN = 'very-secret-token'

interface Test extends AsyncDisposable {
  server: GitServer
  source: SourceResolver<GitSource>
  repositories: KeptRepositories
  kept: string
  fake: FakeLayers
  /** Resolves and fetches. Gives the directory of the layer, and the commit. */
  load(
    remote: string,
    members?: Partial<GitSource>,
    options?: { session?: Partial<BuildSession>; step?: Partial<Step> },
  ): Promise<{ path: string; commit: string; key: string }>
}

async function setUp(program?: string): Promise<Test> {
  const server = await startGitServer()
  const fake = fakeLayers()
  const kept = join(fake.directory(), 'git')
  const git = createGitProgram(program === undefined ? {} : { program })
  const files = createFiles()
  const jobs = createInlineRunner({ files, loadTask: loadFileTask })
  const report = (error: unknown): never => assert.fail(String(error))
  const repositories = createKeptRepositories({ directory: kept, git, jobs, report, now: () => 1000 })
  const source = createGitSource({ git, repositories, layers: fake.layers, files, jobs })
  return {
    server,
    source,
    repositories,
    kept,
    fake,
    async load(remote, members = {}, options = {}) {
      const wanted: GitSource = {
        kind: 'git',
        remote,
        ref: '',
        subdirectory: '',
        keepGitDirectory: false,
        skipSubmodules: false,
        authTokenSecret: 'GIT_AUTH_TOKEN',
        authHeaderSecret: 'GIT_AUTH_HEADER',
        ...members,
      }
      const step = fakeStep(fakeSession(options.session), options.step)
      const { key, pinned, material } = await source.identify(wanted, step)
      const ref = await source.fetch(pinned, step)
      assert.equal(ref.kind, 'layers')
      const [commit = ''] = Object.values(material?.digest ?? {})
      return { path: fake.directories.at(-1) ?? '', commit, key }
    },
    async [Symbol.asyncDispose]() {
      await repositories.settled()
      fake[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const names = (path: string): string[] => (readdirSync(path, { recursive: true }) as string[]).toSorted()
const text = (path: string, name: string): string => readFileSync(join(path, name), 'utf8')

/** No file below `path` has it. */
function assertAbsent(secret: string, path: string): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile()) assert.ok(!readFileSync(file).includes(secret), file)
  }
}

describe('git source', { skip }, () => {
  it('checks out branches, tags and commits', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    const first = app.commit({ file: 'first', 'dir/run.sh': 'x' })
    app.git('tag', 'light')
    app.git('tag', '-a', 'full', '-m', 'text')
    app.git('branch', 'old')
    const second = app.commit({ file: 'second' })
    const cases: [ref: string, commit: string, text: string][] = [
      ['', second, 'second'],
      ['main', second, 'second'],
      ['refs/heads/main', second, 'second'],
      ['old', first, 'first'],
      ['light', first, 'first'],
      ['full', first, 'first'],
      ['refs/tags/full', first, 'first'],
      [first, first, 'first'],
      [second, second, 'second'],
    ]
    for (const [ref, commit, content] of cases) {
      const loaded = await test.load(app.url, { ref })
      assert.deepEqual(
        [loaded.commit, names(loaded.path), text(loaded.path, 'file')],
        [commit, ['dir', 'dir/run.sh', 'file'], content],
        ref,
      )
    }
  })

  it('fetches only what it has not', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    const commit = app.commit({ file: 'first' })
    await test.load(app.url)
    test.server.requests.length = 0
    await test.load(app.url, { ref: commit })
    assert.deepEqual(test.server.requests, [])
    app.commit({ file: 'second' })
    assert.equal(text((await test.load(app.url)).path, 'file'), 'second')
    // A branch that was moved back, and one that has taken the place of a directory of branches.
    app.git('reset', '-q', '--hard', commit)
    app.git('checkout', '-q', '-b', 'a/b')
    app.commit({ file: 'third' })
    assert.equal(text((await test.load(app.url)).path, 'file'), 'first')
    assert.equal(text((await test.load(app.url, { ref: 'a/b' })).path, 'file'), 'third')
  })

  it('takes a commit by its id when asked to, whatever its branch has become', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    const checksum = app.commit({ file: 'first' })
    app.commit({ file: 'second' })
    for (const ref of ['main', 'refs/heads/gone', '']) {
      test.server.requests.length = 0
      const { path, key } = await test.load(app.url, { ref, checksum, fetchByCommit: true, keepGitDirectory: true })
      assert.equal(text(path, 'file'), 'first', ref)
      assert.ok(key.startsWith(checksum))
    }
    assert.deepEqual(test.server.requests, [], 'nobody was asked again')
    await assert.rejects(test.load(app.url, { ref: 'main', checksum, keepGitDirectory: true }), /expected checksum to match/)
    await assert.rejects(test.load(app.url, { ref: 'main', fetchByCommit: true }), /fetch-by-commit needs a whole commit id/)
    await assert.rejects(
      test.load(app.url, { ref: 'main', checksum: checksum.slice(0, 9), fetchByCommit: true }),
      /needs a whole commit id/,
    )
  })

  it('is known by commit and what is taken of it', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    const commit = app.commit({ 'a/b': '1' })
    const { key } = await test.load(app.url)
    assert.equal((await test.load(app.url, { ref: commit })).key, key)
    assert.notEqual((await test.load(app.url, { subdirectory: 'a' })).key, key)
    assert.equal((await test.load(app.url, { subdirectory: '/./' })).key, key)
    assert.notEqual((await test.load(app.url, { keepGitDirectory: true })).key, key)
    assert.notEqual((await test.load(app.url, { skipSubmodules: true })).key, key)
  })

  it('gives everything the time of the commit when asked to', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    execFileSync('ln', ['-s', 'nowhere', 'link'], { cwd: app.git('rev-parse', '--show-toplevel') })
    app.commit({ 'a/b': '1' })
    const time = Number(app.git('show', '-s', '--format=%ct'))
    const { path, key } = await test.load(app.url, { commitTimes: true })
    for (const name of ['a', 'a/b', 'link']) assert.equal(lstatSync(join(path, name)).mtimeMs, time * 1000)
    assert.notEqual((await test.load(app.url)).key, key)
  })

  it('takes a subdirectory, and nothing outside of the repository', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    app.commit({ 'a/b/c': '1', d: '2' })
    app.git('config', 'core.symlinks', 'true')
    execFileSync('ln', ['-s', '/etc', 'out'], { cwd: app.git('rev-parse', '--show-toplevel') })
    app.commit({})
    assert.deepEqual(names((await test.load(app.url, { subdirectory: '/a/' })).path), ['b', 'b/c'])
    for (const subdirectory of ['nope', 'd', 'out']) {
      await assert.rejects(test.load(app.url, { subdirectory }), { code: 'NOT_FOUND', message: /failed to open subdir/ })
    }
    await assert.rejects(test.load(app.url, { subdirectory: 'a/../..' }), { code: 'INVALID_ARGUMENT' })
  })

  it('keeps the repository when asked to, without login and history', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    app.commit({ file: 'first' })
    const commit = app.commit({ file: 'second' })
    app.git('tag', '-a', 'v1', '-m', 'text')
    app.commit({})
    const remote = app.url.replace('http://', `http://me:${TOKEN}@`)
    for (const ref of ['', 'main', 'v1', commit]) {
      const { path } = await test.load(remote, { ref, keepGitDirectory: true })
      const git = (...args: string[]): string =>
        execFileSync('git', ['-c', 'safe.directory=*', ...args], { cwd: path })
          .toString()
          .trim()
      assert.equal(git('status', '--porcelain'), '')
      assert.equal(git('rev-list', '--count', 'HEAD'), '1')
      assert.equal(git('remote', 'get-url', 'origin'), app.url)
      if (ref === 'v1') assert.equal(git('describe', '--exact-match'), 'v1')
      assert.ok(!existsSync(join(path, '.git/FETCH_HEAD')))
      assertAbsent(TOKEN, path)
      assertAbsent(TOKEN, test.kept)
    }
  })

  it('takes submodules along', async () => {
    await using test = await setUp()
    const sub = test.server.repository('sub')
    sub.commit({ inner: 'old' })
    const app = test.server.repository('app')
    app.commit({ file: 'x' })
    app.git('submodule', '--quiet', 'add', sub.git('remote', 'get-url', 'origin'), 'lib/sub')
    app.git('config', '-f', '.gitmodules', 'submodule.lib/sub.url', '../sub.git')
    app.commit({})
    sub.commit({ inner: 'new' })
    assert.deepEqual(names((await test.load(app.url)).path), ['.gitmodules', 'file', 'lib', 'lib/sub', 'lib/sub/inner'])
    assert.equal(text(test.fake.directories.at(-1) ?? '', 'lib/sub/inner'), 'old')
    assert.deepEqual(names((await test.load(app.url, { skipSubmodules: true })).path), ['.gitmodules', 'file', 'lib', 'lib/sub'])
    const { path } = await test.load(app.url, { keepGitDirectory: true })
    assert.match(text(path, 'lib/sub/.git'), /^gitdir: \.\.\/\.\.\/\.git\/modules/)
  })

  it('refuses submodules that lead into the host', async () => {
    await using test = await setUp()
    const secret = test.server.repository('secret')
    secret.commit({ inner: 'secret' })
    const bare = secret.git('remote', 'get-url', 'origin')
    for (const url of [bare, `file://${bare}`, `ext::sh -c touch% ${test.kept}/pwned`]) {
      const app = test.server.repository(`app${url.length}`)
      app.commit({ file: 'x' })
      app.git('submodule', '--quiet', 'add', bare, 'sub')
      app.git('config', '-f', '.gitmodules', 'submodule.sub.url', url)
      app.commit({})
      await assert.rejects(test.load(app.url), { code: 'UNAVAILABLE', message: /failed to checkout remote/ }, url)
    }
    assert.ok(!existsSync(join(test.kept, 'pwned')))
  })

  it('logs in by secrets, which stay nowhere', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    app.commit({ file: 'x' })
    const { host } = new URL(test.server.address)
    const basic = (login: string): string => `basic ${Buffer.from(login).toString('base64')}`
    const withSecrets = (values: Record<string, string>): { session: Partial<BuildSession> } => ({
      session: { secret: async (id) => (values[id] === undefined ? undefined : Buffer.from(values[id])) },
    })
    test.server.authorization = basic(`x-access-token:${TOKEN}`)
    await assert.rejects(test.load(app.url), { code: 'UNAVAILABLE', message: /failed to fetch remote/ })
    for (const values of [
      { GIT_AUTH_TOKEN: `${TOKEN}\n` },
      { [`GIT_AUTH_TOKEN.${host}`]: TOKEN, GIT_AUTH_TOKEN: 'other' },
      { GIT_AUTH_HEADER: basic(`x-access-token:${TOKEN}`), GIT_AUTH_TOKEN: 'other' },
    ]) {
      await test.load(app.url, {}, withSecrets(values))
    }
    await test.load(app.url.replace('http://', `http://x-access-token:${TOKEN}@`), { keepGitDirectory: true })
    await test.repositories.settled()
    assertAbsent(TOKEN, test.kept)
  })

  it('refuses what git would take for something else', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    const commit = app.commit({ file: 'x' })
    for (const remote of [
      'file:///etc',
      '/etc',
      'ext::sh -c id',
      '-x@h:p',
      'ssh://-oProxyCommand=id/x',
      'http://h/x y',
      '--upload-pack=id',
    ]) {
      await assert.rejects(test.load(remote), { code: 'INVALID_ARGUMENT' }, remote)
    }
    for (const ref of ['--upload-pack=id', '-x', 'a..b', 'a b', 'a:b', 'a^{tree}', '+a', 'x*', '@{-1}'].filter((name) => name !== '+a')) {
      await assert.rejects(test.load(app.url, { ref }), { code: 'INVALID_ARGUMENT' }, ref)
    }
    for (const checksum of ['x', '--x', '']) await assert.rejects(test.load(app.url, { checksum }), { code: 'INVALID_ARGUMENT' })
    await assert.rejects(test.load(app.url, { checksum: 'abcdef' }), { message: `expected checksum to match abcdef, got ${commit}` })
    await assert.rejects(test.load(app.url, { ref: commit, checksum: 'abcdef' }), {
      message: `expected checksum to match abcdef, got ${commit}`,
    })
    assert.equal((await test.load(app.url, { checksum: commit.slice(0, 7).toUpperCase() })).commit, commit)
    await assert.rejects(test.load(app.url, { ref: 'nope' }), { code: 'NOT_FOUND', message: /^repository does not contain ref nope/ })
    await assert.rejects(test.load(`${test.server.address}/nope.git`), { code: 'UNAVAILABLE', message: /failed to fetch remote/ })
  })

  it('ends at once when nobody wants it any more, with all that git has started', async () => {
    await using test = await setUp()
    test.server.isSilent = true
    const abort = new AbortController()
    const loading = test.load(`${test.server.address}/app.git`, {}, { step: { signal: abort.signal } })
    while (test.server.requests.length === 0) await new Promise(setImmediate)
    abort.abort(new Error('enough'))
    await assert.rejects(loading, { message: 'enough' })
    await eventually(() => {
      const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      assert.ok(!running.includes(test.server.address), running)
    })
  })

  it('lists and removes repositories, and forgets what builds have left', async () => {
    await using test = await setUp()
    const app = test.server.repository('app')
    app.commit({ file: 'x' })
    await test.load(app.url)
    const [record] = await test.repositories.list()
    assert.ok(record && record.size > 0)
    assert.deepEqual(
      [record.description, record.type, record.inUse, record.usageCount],
      [`shared git repo for ${app.url}`, 'regular', false, 1],
    )
    test.repositories.scratch()
    test.repositories.restore()
    await test.repositories.settled()
    assert.deepEqual(readdirSync(test.kept), [record.id])
    using _held = await test.repositories.hold(app.url, 'sha1', new AbortController().signal)
    await assert.rejects(async () => await test.repositories.remove(record.id), { code: 'CONFLICT' })
    _held[Symbol.dispose]()
    await test.repositories.remove(record.id)
    await assert.rejects(async () => await test.repositories.remove(record.id), { code: 'NOT_FOUND' })
    assert.deepEqual(await test.repositories.list(), [])
    assert.equal(text((await test.load(app.url)).path, 'file'), 'x')
  })

  it('says that git is missing', async () => {
    await using test = await setUp('no-such-git')
    await assert.rejects(test.load('https://h/x.git'), { code: 'UNAVAILABLE', message: /failed to find git binary/ })
  })
})
