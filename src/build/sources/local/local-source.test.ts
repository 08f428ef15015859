import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LocalSource } from '../../graph/types.ts'
import type { BuildSession, SyncRequest } from '../../session.ts'
import type { SourceResolver } from '../../types.ts'
import { fakeSession, fakeStep } from '../testing/fake-step.ts'
import { fakeTransfer } from '../testing/fake-transfer.ts'
import type { ReceiveRequest } from './kept-directories.ts'
import { createLocalSource } from './local-source.ts'

const SOURCE: LocalSource = {
  kind: 'local',
  name: 'context',
  includePatterns: ['a'],
  excludePatterns: ['b'],
  followPaths: ['c'],
  sharedKeyHint: 'hint',
}

interface Test {
  local: SourceResolver<LocalSource>
  requests: ReceiveRequest[]
  synced: SyncRequest[]
  held: number
  session: (members?: Partial<BuildSession>) => BuildSession
}

function setUp(): Test {
  const test: Test = {
    requests: [],
    synced: [],
    held: 0,
    local: createLocalSource({
      directories: {
        async receive(request) {
          test.requests.push(request)
          request.received(3)
          test.held++
          return { path: '/kept', generation: 'g', [Symbol.dispose]: () => void test.held-- }
        },
      },
    }),
    session: (members) =>
      fakeSession({
        sharedKey: 'client',
        async directory(request) {
          test.synced.push(request)
          return fakeTransfer({ file: { content: 'abc' } })
        },
        ...members,
      }),
  }
  return test
}

describe('local source', () => {
  it('asks the client for what is wanted, and tells how much comes', async () => {
    const test = setUp()
    const step = fakeStep(test.session())
    const { release, ...ref } = (await test.local.fetch(SOURCE, step)) as { release: () => void }
    assert.deepEqual(ref, { kind: 'directory', path: '/kept', generation: 'g' })
    const [{ signal: _, ...request } = {}] = test.synced
    assert.deepEqual(request, { name: 'context', includePatterns: ['a'], excludePatterns: ['b'], followPaths: ['c'] })
    assert.deepEqual(step.statuses, ['transferring context: 0/?', 'transferring context: 3/?', 'transferring context: 3/? done'])
    release()
    assert.equal(test.held, 0)
  })

  it('keeps one directory for each client, hint and name, whatever is wanted of it', async () => {
    const test = setUp()
    const key = async (source: Partial<LocalSource>, session: Partial<BuildSession> = {}): Promise<string | undefined> => {
      await test.local.fetch({ ...SOURCE, ...source }, fakeStep(test.session(session)))
      return test.requests.at(-1)?.key
    }
    const same = await key({})
    assert.match(same ?? '', /^[0-9a-f]{32}$/)
    assert.equal(await key({ followPaths: [], excludePatterns: [] }), same)
    assert.notEqual(await key({ name: 'dockerfile' }), same)
    assert.notEqual(await key({ sharedKeyHint: 'other' }), same)
    assert.notEqual(await key({}, { sharedKey: 'other' }), same)
    assert.equal(await key({}, { sharedKey: '' }), undefined)
  })

  it('gives the directory back when the client has gone, once', async () => {
    const test = setUp()
    const closed = new AbortController()
    const ref = await test.local.fetch(SOURCE, fakeStep(test.session({ closed: closed.signal })))
    assert.equal(test.held, 1)
    closed.abort()
    assert.equal(test.held, 0)
    assert.ok(ref.kind === 'directory')
  })
})
