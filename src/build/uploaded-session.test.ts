import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdtempDisposableSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decodeName, systemPath, tarEntry, writeTar } from '#archive'
import { createFiles } from '#kernel'
import { createInlineRunner } from '#snapshots'
import { loadFileTask } from './files/file-tasks.ts'
import type { LocalSource } from './graph/types.ts'
import type { BuildSession } from './session.ts'
import { createKeptDirectories } from './sources/local/kept-directories.ts'
import { createLocalSource } from './sources/local/local-source.ts'
import { fakeStep } from './sources/testing/fake-step.ts'
import { createUploadedSessions } from './uploaded-session.ts'
import type { UploadedSessions } from './uploaded-session.ts'

const SOURCE: LocalSource = { kind: 'local', name: 'context', includePatterns: [], excludePatterns: [], followPaths: [], sharedKeyHint: '' }

interface Test extends Disposable {
  directory: string
  sessions: UploadedSessions
  /** Files of a directory as the build sees them. */
  load(session: BuildSession, source?: Partial<LocalSource>): Promise<{ path: string; names: string[] }>
}

function setUp(): Test {
  const temporary = mkdtempDisposableSync(join(tmpdir(), 'uploads-'))
  const directory = join(temporary.path, 'uploads')
  const files = createFiles()
  const jobs = createInlineRunner({ files, loadTask: loadFileTask })
  const report = (error: unknown): never => assert.fail(String(error))
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const directories = createKeptDirectories({ directory: join(temporary.path, 'contexts'), files, jobs, bootId: '', report, now: Date.now })
  const source = createLocalSource({ directories })
  return {
    directory,
    sessions: createUploadedSessions({ directory, files, jobs, owner, report }),
    async load(session, members = {}) {
      const ref = await source.fetch({ ...SOURCE, ...members }, fakeStep(session))
      assert.ok(ref.kind === 'directory')
      const names = (readdirSync(ref.path, { recursive: true }) as string[]).toSorted()
      return { path: ref.path, names }
    },
    [Symbol.dispose]: () => temporary.remove(),
  }
}

async function tar(files: Record<string, string>): Promise<Buffer> {
  return await buffer(
    writeTar(
      Object.entries(files).map(([path, text]) => ({
        entry: tarEntry({ path, size: text.length, mode: 0o640, mtime: 7n }),
        body: [Buffer.from(text)],
      })),
    ),
  )
}

const options = { credentials: {}, signal: new AbortController().signal }
const stream = (bytes: Buffer): Readable => Readable.from([bytes], { objectMode: false })

describe('UploadedSession', () => {
  it('serves what is in the archive where it lies', async () => {
    using test = setUp()
    const archive = await tar({ Dockerfile: 'FROM scratch', 'a/b': 'text', 'a/c': 'more' })
    for (const bytes of [archive, gzipSync(archive)]) {
      const session = await test.sessions.open(stream(bytes), options)
      const context = await test.load(session)
      assert.deepEqual(context.names, ['Dockerfile', 'a', 'a/b', 'a/c'])
      const stat = lstatSync(join(context.path, 'a/b'), { bigint: true })
      assert.deepEqual([stat.nlink, stat.mode & 0o777n, stat.mtimeNs], [1n, 0o640n, 7n])
      assert.deepEqual([context.path.startsWith(test.directory), lstatSync(context.path).mode & 0o777], [true, 0o755])
      const dockerfile = await test.load(session, { name: 'dockerfile', followPaths: ['Dockerfile', 'Dockerfile.dockerignore'] })
      assert.equal(dockerfile.path, context.path)
      await session[Symbol.asyncDispose]()
      await test.sessions.settled()
      assert.deepEqual([session.closed.aborted, readdirSync(test.directory)], [true, []])
    }
  })

  it('leaves out what is excluded, without copying the rest', async () => {
    using test = setUp()
    const archive = await tar({ 'a/b': '1', 'a/keep/x': '2', 'd/e/f': '3', g: '4' })
    await using session = await test.sessions.open(stream(archive), options)
    const { path, names } = await test.load(session, { excludePatterns: ['a', '!a/keep', 'd', '!d/nothing'] })
    assert.deepEqual([names, lstatSync(join(path, 'g')).nlink], [['a', 'a/keep', 'a/keep/x', 'g'], 2])
    assert.equal((await test.load(session, { excludePatterns: ['not-there'] })).path.startsWith(test.directory), true)
    assert.deepEqual((await test.load(session, { excludePatterns: ['a'], followPaths: ['/d/e'] })).names, ['d', 'd/e', 'd/e/f'])
    assert.deepEqual((await test.load(session, { excludePatterns: ['g'], includePatterns: ['d*'] })).names.length, 7)
    await test.sessions.settled()
  })

  it('leaves out what is excluded beside names that are no UTF-8', async () => {
    using test = setUp()
    const name = decodeName(Buffer.from('caf\xe9', 'latin1'))
    await using session = await test.sessions.open(stream(await tar({ [`a/${name}`]: 'text', 'b.o': 'x' })), options)
    const { path } = await test.load(session, { excludePatterns: ['*.o'] })
    assert.equal(readFileSync(systemPath(join(path, 'a', name)), 'utf8'), 'text')
  })

  it('takes a Dockerfile that comes alone', async () => {
    using test = setUp()
    await using session = await test.sessions.open(stream(Buffer.from('FROM scratch\n')), options)
    const { path, names } = await test.load(session, { name: 'dockerfile' })
    assert.deepEqual([names, readFileSync(join(path, 'Dockerfile'), 'utf8')], [['Dockerfile'], 'FROM scratch\n'])
  })

  it('has logins by host, and nothing else', async () => {
    using test = setUp()
    const credentials = { 'docker.io': { username: 'hub' }, 'registry:5000': { username: 'own' } }
    await using session = await test.sessions.open(undefined, { ...options, credentials })
    assert.deepEqual(await session.credentials('registry-1.docker.io'), { username: 'hub' })
    assert.deepEqual(await session.credentials('registry:5000'), { username: 'own' })
    assert.equal(await session.credentials('other'), undefined)
    assert.equal(await session.secret('x'), undefined)
    assert.deepEqual([session.sharedKey, session.namesImages], ['', true])
    await assert.rejects(test.load(session), { code: 'NOT_FOUND' })
    await assert.rejects(session.checkAgent('default'), { code: 'NOT_FOUND' })
  })

  it('leaves nothing of a bad archive, nor of an earlier daemon', async () => {
    using test = setUp()
    const archive = await tar({ a: 'text' })
    await assert.rejects(test.sessions.open(stream(archive.subarray(0, 513)), options), { code: 'INVALID_ARGUMENT' })
    await test.sessions.settled()
    assert.deepEqual(readdirSync(test.directory), [])
    await test.sessions.open(stream(archive), options)
    test.sessions.restore()
    await test.sessions.settled()
    assert.ok(existsSync(test.directory))
    assert.deepEqual(readdirSync(test.directory), [])
  })
})
