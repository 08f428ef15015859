import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { BuildEvent } from '#build'
import { EngineError } from '#errors'
import { control, create, fromBinary, status, type JsonValue, type MessageInitShape } from '#grpc'
import type { Repository } from '#metadata'
import { digestOf, hexOf, parseDigest, type Digest } from '#oci'
import { memoryRows } from '../testing/memory-rows.ts'
import { BuildHistory } from './build-history.ts'
import type { FinishedBuild } from './completion.ts'
import { HistoryBlobs } from './history-blobs.ts'

const { BuildHistoryEventType: Type } = control
const NEVER = new AbortController().signal
const id = 'sha256:1' as Digest
const EVENTS: readonly BuildEvent[] = [
  { kind: 'vertex', id, inputs: [], name: '[1/1] RUN', cached: true, completed: 5 },
  { kind: 'log', vertex: id, stream: 1, data: Buffer.from('made'), timestamp: 4 },
  { kind: 'warning', vertex: id, level: 1, short: 'odd', detail: [], url: '' },
]
const made = (image: string): ReturnType<FinishedBuild['provenance']>[number] => ({
  image,
  predicateType: 'https://slsa.dev/provenance/v0.2',
  predicate: { image },
})

describe('BuildHistory', () => {
  let directory: string
  let rows: Repository<JsonValue>
  let blobs: HistoryBlobs
  let reported: unknown[]
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-history-'))
    rows = memoryRows()
    blobs = new HistoryBlobs(directory)
    reported = []
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  /** As after a start of the daemon. */
  function open(): BuildHistory {
    async function* events(): AsyncGenerator<readonly BuildEvent[]> {
      yield EVENTS
    }
    return new BuildHistory({ builds: { events }, rows, blobs, report: (error) => void reported.push(error) })
  }

  async function run(
    history: BuildHistory,
    ref: string,
    images: readonly string[] = ['linux/amd64'],
    attrs: Record<string, string> = {},
  ): Promise<void> {
    const request = create(control.SolveRequestSchema, { ref, frontend: 'dockerfile.v0', frontendAttrs: attrs })
    await history.record(request, async () => ({ exporterResponse: { key: 'value' }, provenance: () => images.map(made) }))
  }

  function fail(history: BuildHistory, ref: string, error: unknown): Promise<unknown> {
    return history.record(create(control.SolveRequestSchema, { ref }), () => Promise.reject(error)).catch(() => {})
  }

  async function list(
    history: BuildHistory,
    asked: MessageInitShape<typeof control.BuildHistoryRequestSchema> = {},
  ): Promise<control.BuildHistoryRecord[]> {
    const request = create(control.BuildHistoryRequestSchema, { earlyExit: true, ...asked })
    return (await Array.fromAsync(history.listen(request, NEVER))).map(({ record }) => record)
  }

  function attachments(record: control.BuildHistoryRecord | undefined): string[] {
    return [record?.logs, record?.externalError, ...(record?.result?.attestations ?? [])].flatMap((blob) => blob?.digest.slice(7) ?? [])
  }

  async function refs(history: BuildHistory, ...filter: string[]): Promise<string[]> {
    return (await list(history, { filter })).map(({ ref }) => ref)
  }

  it('keeps what was said and what the image was made of, also over a restart', async () => {
    await run(open(), 'b1', ['linux/amd64'], { target: 'x' })
    const history = open()
    const [record] = await list(history)
    assert.deepEqual([record?.ref, record?.frontendAttrs, record?.exporterResponse], ['b1', { target: 'x' }, { key: 'value' }])
    assert.deepEqual([record?.numTotalSteps, record?.numCachedSteps, record?.numWarnings], [1, 1, 1])
    const [response] = history.log('b1') ?? []
    assert.equal(Buffer.from(response?.logs[0]?.msg ?? []).toString(), 'made')
    const provenance = record?.result?.attestations[0]
    assert.equal(provenance?.annotations['in-toto.io/predicate-type'], 'https://slsa.dev/provenance/v0.2')
    assert.deepEqual(JSON.parse(blobs.readAll(parseDigest(provenance.digest)).toString()), { image: 'linux/amd64' })
    assert.equal(history.log('unknown'), undefined)
  })

  it('tells what was made for several platforms by platform', async () => {
    const history = open()
    await run(history, 'b1', ['linux/amd64', 'linux/arm64'])
    const [record] = await list(history)
    assert.deepEqual(Object.keys(record?.results ?? {}), ['linux/amd64', 'linux/arm64'])
    assert.equal(record?.result, undefined)
  })

  it('tells an error in short, and whole as a blob', async () => {
    const history = open()
    await fail(history, 'b1', Object.assign(new Error('make failed'), { name: 'BuildError', vertex: id }))
    await fail(history, 'b2', new EngineError('CANCELLED', 'context canceled'))
    const [failed, cancelled] = await list(history)
    assert.deepEqual([failed?.error?.message, failed?.error?.details.length, cancelled?.error?.code], ['make failed', 0, 1])
    const whole = fromBinary(status.StatusSchema, blobs.readAll(parseDigest(failed?.externalError?.digest ?? '')))
    assert.deepEqual(
      whole.details.map(({ typeUrl }) => typeUrl),
      ['github.com/moby/buildkit/errdefs.Vertex+json'],
    )
    assert.equal(cancelled?.externalError, undefined)
  })

  it('forgets the oldest that is not pinned, and its blobs', async () => {
    const history = open()
    for (let count = 0; count < 102; count++) {
      await run(history, `b${count}`, [`os/${count}`])
      if (count === 0) history.update(create(control.UpdateBuildHistoryRequestSchema, { ref: 'b0', pinned: true }))
    }
    const kept = await refs(history)
    assert.equal(kept.length, 101)
    assert.ok(kept.includes('b0') && !kept.includes('b1'))
    assert.equal(rows.all().length, 101)
    const blobOf = (image: string): string => hexOf(digestOf(Buffer.from(JSON.stringify({ image }))))
    assert.ok(readdirSync(directory).includes(blobOf('os/0')))
    assert.ok(!readdirSync(directory).includes(blobOf('os/1')))
    // The log of all is the same, and belongs to the others, too.
    assert.ok([...(history.log('b5') ?? [])].length > 0)
  })

  it('keeps no passwords of addresses, and no tokens of caches', async () => {
    const history = open()
    const imports = JSON.stringify([{ Type: 'gha', Attrs: { token: 'secret' } }])
    await run(history, 'b1', [], { context: 'https://me:secret@example.com/one.git', 'cache-imports': imports })
    assert.equal((await list(history))[0]?.frontendAttrs['context'], 'https://example.com/one.git')
    assert.ok(!JSON.stringify(rows.all()).includes('secret'))
  })

  it('forgets a build, and its blobs, when its name is used again', async () => {
    const history = open()
    await run(history, 'b1', ['os/first'])
    await run(history, 'b1', ['os/second'])
    const [record] = await list(history)
    assert.deepEqual(readdirSync(directory).toSorted(), attachments(record).toSorted())
  })

  it('keeps nothing of a build that cannot be noted, which is none the worse for it', async () => {
    const history = open()
    const full = (): never => assert.fail('no space')
    Object.assign(rows, { put: full, delete: full })
    await run(history, 'b1')
    assert.deepEqual([await refs(history), readdirSync(directory), reported.length], [[], [], 2])
  })

  it('leaves a blob alone that is there', async () => {
    const history = open()
    await run(history, 'b1')
    const before = readdirSync(directory).map((name) => statSync(join(directory, name), { bigint: true }).mtimeNs)
    await run(history, 'b2')
    assert.deepEqual(
      readdirSync(directory).map((name) => statSync(join(directory, name), { bigint: true }).mtimeNs),
      before,
    )
  })

  it('tells nothing to a listener that has gone before it begins', async () => {
    const request = create(control.BuildHistoryRequestSchema, {})
    assert.deepEqual(await Array.fromAsync(open().listen(request, AbortSignal.abort())), [])
  })

  it('forgets after a start what has not reached the disk, and files that no record names', async () => {
    await run(open(), 'whole')
    await run(open(), 'torn', ['os/torn'])
    writeFileSync(join(directory, hexOf(digestOf(Buffer.from('{"image":"os/torn"}')))), '')
    writeFileSync(join(directory, 'left'), '')
    assert.deepEqual(await refs(open()), ['whole'])
    assert.match(String(reported[0]), /record of the build torn is damaged/)
    // Log and provenance of the other one.
    assert.equal(readdirSync(directory).length, 2)
  })

  it('deletes records, pins them, and knows when there is none', async () => {
    const history = open()
    await run(history, 'b1')
    history.update(create(control.UpdateBuildHistoryRequestSchema, { ref: 'b1', pinned: true }))
    assert.equal((await list(open()))[0]?.pinned, true)
    history.update(create(control.UpdateBuildHistoryRequestSchema, { ref: 'b1', finalize: true }))
    history.update(create(control.UpdateBuildHistoryRequestSchema, { ref: 'b1', delete: true }))
    history.update(create(control.UpdateBuildHistoryRequestSchema, { ref: 'b1', delete: true }))
    assert.deepEqual([await refs(history), readdirSync(directory)], [[], []])
    const pinNothing = create(control.UpdateBuildHistoryRequestSchema, { ref: 'b1', pinned: true })
    assert.throws(() => history.update(pinNothing), /failed to retrieve ref b1: file does not exist/)
  })

  it('gives the newest first when asked for some, and only those that a filter names', async () => {
    const history = open()
    await run(history, 'one', [], { 'vcs:source': 'https://example.com/one.git' })
    await run(history, 'two', [], { context: 'https://example.com/two.git#main' })
    await fail(history, 'three', new Error('make failed'))
    assert.deepEqual(
      (await list(history, { limit: 2 })).map(({ ref }) => ref),
      ['three', 'two'],
    )
    assert.deepEqual(await refs(history, 'status==error'), ['three'])
    assert.deepEqual(await refs(history, 'status!=error,ref~=tw'), ['two'])
    assert.deepEqual(await refs(history, 'ref==one', 'ref==three'), ['one', 'three'])
    assert.deepEqual(await refs(history, 'repository~=example.com/'), ['one', 'two'])
    assert.deepEqual(await refs(history, 'startedAt>1h,duration<1m'), ['one', 'two', 'three'])
    assert.deepEqual(await refs(history, 'completedAt<2020-01-01T00:00:00Z'), [])
    for (const wrong of ['colour==red', 'startedAt>soon', 'duration>long', 'ref=="']) {
      await assert.rejects(refs(history, wrong), { code: 'INVALID_ARGUMENT' })
    }
  })

  it('tells listeners of builds as they begin, end and go', async () => {
    const history = open()
    const listener = new AbortController()
    const seen: string[] = []
    const listening = (async () => {
      for await (const { type, record } of history.listen(create(control.BuildHistoryRequestSchema, {}), listener.signal)) {
        seen.push(`${Type[type]} ${record.ref}`)
        if (type === Type.DELETED) listener.abort()
      }
    })()
    await run(history, 'b1')
    history.update(create(control.UpdateBuildHistoryRequestSchema, { ref: 'b1', delete: true }))
    await listening
    assert.deepEqual(seen, ['STARTED b1', 'COMPLETE b1', 'DELETED b1'])
  })
})
