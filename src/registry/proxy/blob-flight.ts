import { codeOf, internal, invalidArgument } from '#errors'
import { unlessAborted } from '#lib'
import { createDigester, type Digest } from '#oci'
import type { BlobKeeper } from '../repositories/types.ts'
import type { RegistryStorage } from '../storage/types.ts'

export interface BlobFlightDeps {
  storage: Pick<RegistryStorage, 'blobs' | 'uploads'>
  keeper: Pick<BlobKeeper, 'commit'>
  /** Name of the repository that the blob is for. */
  repository: string
  blob: { digest: Digest; size: number }
  /** The bytes from the upstream, once. */
  open: () => AsyncIterable<Buffer>
}

/** A blob on its way from the upstream into the storage. */
export interface BlobFlight {
  /** Resolves when the blob is stored and verified; rejects when it did not come. */
  readonly landed: Promise<void>
  /**
   * Bytes `start` to `end` inclusive, as they come. Any number of readers, each at its own pace: they read what is stored already, so a slow one holds
   * up nobody and costs no memory. The blob's last byte comes when the digest is found right: a client that does not check would take a wrong body for whole.
   * Throws when the download fails.
   */
  follow(range: { start: number; end: number }, signal: AbortSignal): AsyncGenerator<Uint8Array>
}

/** Begins at once, and goes on when nobody reads any more: the next client finds the blob. */
export function startBlobFlight({ storage, keeper, repository, blob, open }: BlobFlightDeps): BlobFlight {
  const { digest, size } = blob
  const progress = createProgress()
  let upload: string | undefined
  let state: 'flying' | 'landed' | 'failed' = 'flying'

  async function* received(): AsyncGenerator<Buffer> {
    const digester = createDigester()
    for await (const chunk of open()) {
      digester.update(chunk)
      yield chunk
    }
    const actual = digester.digest()
    if (actual !== digest) throw invalidArgument(`the upstream sent ${actual} for ${digest}`)
  }

  async function fly(): Promise<void> {
    const { id } = await storage.uploads.create(repository)
    try {
      upload = id
      await storage.uploads.append(id, received(), (stored) => progress.set(stored))
      await keeper.commit(id, digest)
      state = 'landed'
    } catch (error) {
      state = 'failed'
      await storage.uploads.abort(id)
      throw error
    }
  }

  const landed = fly().finally(() => progress.end())
  landed.catch(() => {}) // told by whoever follows, and by the owner

  /** What is stored from `start` on; undefined between two states, when it has to be looked for again. */
  async function readStored(start: number, end: number): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (state === 'landed') return storage.blobs.read(digest, { start, end })
    if (upload === undefined) return undefined
    try {
      return await storage.uploads.read(upload, start)
    } catch (error) {
      // It has just become a blob, or was given up.
      if (codeOf(error) !== 'NOT_FOUND') throw error
      await landed
      return undefined
    }
  }

  return {
    landed,
    async *follow({ start, end }, signal) {
      let position = start
      while (position <= end) {
        signal.throwIfAborted()
        if (state === 'failed') await landed
        const stored = progress.bytes
        const isWhole = state === 'landed'
        const last = isWhole ? end : Math.min(end, size - 2)
        if (position <= last) {
          for await (const chunk of (await readStored(position, last)) ?? []) {
            const wanted = chunk.subarray(0, last - position + 1)
            position += wanted.length
            if (wanted.length > 0) yield wanted
            if (position > last) break
          }
        }
        if (isWhole && position <= end) throw internal(`blob ${digest} has fewer than the ${size} bytes that the upstream told`)
        if (!isWhole && position <= end) await progress.pass(position > last ? Infinity : Math.max(position, stored), signal)
      }
    },
  }
}

interface Progress {
  /** Bytes that can be read from the storage: waiting for those that came would be in vain where the storage still holds them back. */
  readonly bytes: number
  set(bytes: number): void
  /** No more will come. */
  end(): void
  /** Resolves when there are more than so many bytes, or no more will come. */
  pass(bytes: number, signal: AbortSignal): Promise<void>
}

function createProgress(): Progress {
  let bytes = 0
  let ended = false
  const waiting = new Set<{ bytes: number; wake: () => void }>()
  const wake = (): void => {
    for (const waiter of waiting) if (ended || waiter.bytes < bytes) waiter.wake()
  }
  return {
    get bytes() {
      return bytes
    },
    set(stored) {
      bytes = stored
      wake()
    },
    end() {
      ended = true
      wake()
    },
    async pass(target, signal) {
      if (ended || bytes > target) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const waiter = { bytes: target, wake: resolve }
      waiting.add(waiter)
      try {
        await unlessAborted(promise, signal)
      } finally {
        waiting.delete(waiter)
      }
    },
  }
}
