import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf } from '#oci'
import { createBlobKeeper } from '../repositories/blob-keeper.ts'
import { openFileStorage } from '../storage/file-system/file-storage.ts'
import type { RegistryStorage } from '../storage/types.ts'
import { startBlobFlight, type BlobFlight } from './blob-flight.ts'
import { createSingleFlight } from './single-flight.ts'

const CONTENT = Buffer.alloc(3 << 20, 'bytes that repeat at an odd distance. ')
const DIGEST = digestOf(CONTENT)
const NEVER = new AbortController().signal

async function withFlight(
  chunks: (gate: Promise<void>) => AsyncIterable<Buffer>,
  work: (flight: BlobFlight, open: () => void, storage: RegistryStorage) => Promise<void>,
  wrap: (storage: RegistryStorage) => RegistryStorage = (storage) => storage,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'gantry-flight-'))
  const gate = Promise.withResolvers<void>()
  try {
    const storage = wrap(await openFileStorage({ root, sync: false }))
    const deps = { storage, keeper: createBlobKeeper(storage), repository: 'a' }
    const flight = startBlobFlight({ ...deps, blob: { digest: DIGEST, size: CONTENT.length }, open: () => chunks(gate.promise) })
    await work(flight, gate.resolve, storage)
  } finally {
    await rm(root, { recursive: true })
  }
}

async function* halves(gate: Promise<void>): AsyncGenerator<Buffer> {
  yield CONTENT.subarray(0, 2 << 20)
  await gate
  yield CONTENT.subarray(2 << 20)
}

/** A storage that asks for the next chunk long before it has written the last one. */
function hesitant(storage: RegistryStorage): RegistryStorage {
  async function* heldBack(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const source = chunks[Symbol.asyncIterator]()
    for (let next = source.next(); ;) {
      const { done, value } = await next
      if (done) return
      next = source.next()
      await sleep(20)
      yield value
    }
  }
  const { uploads } = storage
  return { ...storage, uploads: { ...uploads, append: (id, chunks, stored) => uploads.append(id, heldBack(chunks), stored) } }
}

async function read(flight: BlobFlight, start = 0, end: number = CONTENT.length - 1): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(flight.follow({ start, end }, NEVER)))
}

describe('BlobFlight', () => {
  it('gives bytes before the download has ended, to each reader at its own pace', async () => {
    await withFlight(halves, async (flight, open, storage) => {
      const early = flight.follow({ start: 0, end: CONTENT.length - 1 }, NEVER)
      const first = (await early.next()).value as Uint8Array
      assert.deepEqual(Buffer.from(first), CONTENT.subarray(0, first.length))
      const tail = read(flight, CONTENT.length - 10)
      open()
      assert.deepEqual(await read(flight), CONTENT)
      assert.deepEqual(await tail, CONTENT.subarray(-10))
      const rest = Buffer.concat(await Array.fromAsync(early))
      assert.deepEqual(Buffer.concat([first, rest]), CONTENT)
      await flight.landed
      assert.equal((await storage.blobs.stat(DIGEST))?.size, CONTENT.length)
      assert.deepEqual(await read(flight, 5, 9), CONTENT.subarray(5, 10))
    })
  })

  it('gives what is written although the upstream stalls behind it', async () => {
    await withFlight(
      halves,
      async (flight, open) => {
        assert.equal((await read(flight, 0, (2 << 20) - 1)).length, 2 << 20)
        open()
        await flight.landed
      },
      hesitant,
    )
  })

  it('stores nothing of a download that breaks or is something else, and tells all readers', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield CONTENT.subarray(0, 2 << 20)
      throw new Error('connection lost')
    }
    async function* wrong(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(CONTENT.length)
    }
    for (const [chunks, message] of [
      [broken, /connection lost/],
      [wrong, /the upstream sent sha256:/],
    ] as const) {
      await withFlight(chunks, async (flight, _open, storage) => {
        await assert.rejects(read(flight), { message })
        await assert.rejects(flight.landed, { message })
        await assert.rejects(read(flight), { message })
        assert.equal(await storage.blobs.stat(DIGEST), undefined)
        assert.deepEqual(await Array.fromAsync(storage.uploads.list()), [])
      })
    }
  })

  it('lets a reader go that gives up, and goes on', async () => {
    await withFlight(halves, async (flight, open) => {
      const cancel = new AbortController()
      const reading = Array.fromAsync(flight.follow({ start: 0, end: CONTENT.length - 1 }, cancel.signal))
      cancel.abort()
      await assert.rejects(reading, { name: 'AbortError' })
      open()
      await flight.landed
    })
  })
})

describe('SingleFlight', () => {
  it('does what many want once, and again when it is wanted later', async () => {
    const flights = createSingleFlight()
    let runs = 0
    const gate = Promise.withResolvers<void>()
    const work = (): Promise<void> => {
      runs++
      return gate.promise
    }
    const first = Promise.all([flights.run('a', work, NEVER), flights.run('a', work, NEVER), flights.run('b', work, NEVER)])
    const cancel = new AbortController()
    const leaving = flights.run('a', work, cancel.signal)
    cancel.abort()
    await assert.rejects(leaving, { name: 'AbortError' })
    gate.resolve()
    await first
    assert.equal(runs, 2)
    await flights.run('a', work, NEVER)
    assert.equal(runs, 3)
    await assert.rejects(
      flights.run('c', () => Promise.reject(new Error('no')), NEVER),
      { message: 'no' },
    )
    await flights.settled()
  })
})
