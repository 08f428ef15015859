import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Edge } from '../graph/types.ts'
import type { FileStat } from '../session.ts'
import { fakeBuild } from './testing/fake-host.ts'
import type { FakeWorld } from './testing/fake-host.ts'

const FILE = 0o100644
const DIRECTORY = 0o040755
const GIT = 'https://h/app.git'

function entry(path: string, seconds: number, mode = FILE): FileStat {
  const none = { uid: 0, gid: 0, size: 0, linkname: '', device: { major: 0, minor: 0 }, xattrs: {} }
  return { path, mode, mtime: BigInt(seconds) * 1_000_000_000n + 5n, ...none }
}

/** The time of the result, and what the step of the last stage finds in its variables. */
async function timeOf(dockerfile: string, world: Partial<FakeWorld> = {}): Promise<(string | undefined)[]> {
  const text = `${dockerfile}FROM alpine\nARG SOURCE_DATE_EPOCH\nRUN true\n`
  const files = { dockerfile: { Dockerfile: text }, [GIT]: { Dockerfile: text }, 'https://h/x': { context: text } }
  const { result } = await fakeBuild(text, { files, ...world })
  const op = result.images[0]?.edge?.vertex.op
  const time = result.metadata['source.date.epoch']
  const variable = op?.kind === 'exec' ? op.env.find((text) => text.startsWith('SOURCE')) : undefined
  return [time && Buffer.from(time).toString(), variable?.slice('SOURCE_DATE_EPOCH='.length)]
}

const CONTEXT = 'ARG SOURCE_DATE_EPOCH=context\n'
const STAGE = 'ARG SOURCE_DATE_EPOCH=src\n'

describe('SOURCE_DATE_EPOCH', () => {
  it('is the time of the commit, for a context that git fetches', async () => {
    const asked: Edge[] = []
    const readDirectory = async (edge: Edge): Promise<FileStat[]> => (asked.push(edge), [entry('a', 77)])
    assert.deepEqual(await timeOf(CONTEXT, { options: { context: GIT }, readDirectory }), ['77', '77'])
    const given = { context: GIT, 'build-arg:SOURCE_DATE_EPOCH': 'context' }
    assert.deepEqual(await timeOf('', { options: given, readDirectory }), ['77', '77'])
    for (const { vertex } of asked) assert.ok(vertex.op.kind === 'git' && vertex.op.commitTimes)
    assert.deepEqual(await timeOf(CONTEXT, { options: { ...given, 'build-arg:SOURCE_DATE_EPOCH': '5' }, readDirectory }), ['5', '5'])
  })

  it('is what the server says of a file, else the time of the newest file in an archive', async () => {
    const options = { context: 'https://h/x' }
    assert.deepEqual(await timeOf(CONTEXT, { options, readDirectory: async () => [entry('context', 78)] }), ['78', '78'])
    const unpacked: Record<string, FileStat[]> = { '/': [entry('a', 3), entry('d', 99, DIRECTORY)], '/d': [entry('b', 4)] }
    const readDirectory = async ({ vertex }: Edge, path: string): Promise<FileStat[]> =>
      vertex.op.kind === 'http' ? [{ ...entry('context', 0), mtime: 0n }] : (unpacked[path] ?? [])
    assert.deepEqual(await timeOf(CONTEXT, { options, readDirectory }), ['4', '4'])
  })

  it('is an error where no date can say it', async () => {
    for (const time of ['999999999999999', '-62135596801', '1'.repeat(400)]) {
      const message = `invalid SOURCE_DATE_EPOCH: ${time}`
      await assert.rejects(timeOf('', { options: { 'build-arg:SOURCE_DATE_EPOCH': time } }), { code: 'INVALID_ARGUMENT', message })
    }
    const readDirectory = async (): Promise<FileStat[]> => [entry('a', 1e15)]
    await assert.rejects(timeOf(CONTEXT, { options: { context: GIT }, readDirectory }), /invalid SOURCE_DATE_EPOCH: 1000000000000000/)
  })

  it('is none for directories of the client', async () => {
    assert.deepEqual(await timeOf(CONTEXT), [undefined, ''])
    assert.deepEqual(await timeOf(STAGE, { options: { 'context:src': 'local:src' } }), [undefined, ''])
  })

  it('is the time of a named context, or of what a stage fetches that does nothing else', async () => {
    const readDirectory = async (): Promise<FileStat[]> => [entry('a', 79)]
    assert.deepEqual(await timeOf(STAGE, { options: { 'context:src': GIT }, readDirectory }), ['79', '79'])
    const stage = `FROM scratch AS Src\nARG REF=v1\nADD ${GIT}#$REF /\n`
    assert.deepEqual(await timeOf(STAGE + stage, { readDirectory }), ['79', '79'])
    const refused: [string, RegExp][] = [
      ['', /^invalid SOURCE_DATE_EPOCH: src$/],
      ['FROM alpine AS src\n', /must use FROM scratch/],
      ['FROM scratch AS src\n', /exactly one remote ADD$/],
      ['FROM scratch AS src\nCOPY a /\n', /unsupported copy instruction/],
      ['FROM scratch AS src\nADD a /\n', /must be a single HTTP\(S\) or Git ADD/],
      ['FROM scratch AS src\nADD a b /\n', /exactly one remote ADD source/],
      [`${stage}ADD https://h/x /\n`, /exactly one remote ADD$/],
    ]
    for (const [text, message] of refused) await assert.rejects(timeOf(STAGE + text, { readDirectory }), { message })
  })
})
