import { randomUUID } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { open, readdir, rename, rm, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { invalidArgument, notFound } from '#errors'
import { hexOf, isDigest } from '#oci'
import type { Digest } from '#oci'
import { createGrowth } from './growing-blob.ts'
import { ingestFile } from './ingest-file.ts'
import { createLease } from './lease.ts'
import type { OpenLease } from './lease.ts'
import type { Blob, ContentStore, Lease } from './types.ts'

/** {@link ContentStore} in the directory `root`, which is made when absent: `blobs/sha256/<hex>`, `ingest/<random>`. */
export function createContentStore(deps: { root: string }): ContentStore {
  const blobs = join(deps.root, 'blobs', 'sha256')
  const ingests = join(deps.root, 'ingest')
  mkdirSync(blobs, { recursive: true, mode: 0o700 })
  mkdirSync(ingests, { recursive: true, mode: 0o700 })
  const leases = new Set<OpenLease>()
  const syncing = new Map<Digest, Promise<void>>()
  /** Names in `ingests` that somebody is at work on. */
  const active = new Set<string>()

  const path = (digest: Digest): string => join(blobs, hexOf(digest))

  /** A new name in `ingests`, known as active until it is disposed. */
  function newTemporary(): Disposable & { path: string } {
    const name = randomUUID()
    active.add(name)
    return { path: join(ingests, name), [Symbol.dispose]: () => void active.delete(name) }
  }

  function sizeOf(digest: Digest): number | undefined {
    return statSync(path(digest), { throwIfNoEntry: false })?.size
  }

  function size(digest: Digest): number {
    const bytes = sizeOf(digest)
    if (bytes === undefined) throw notFound(`content ${digest}: not found`)
    return bytes
  }

  function digests(): Digest[] {
    return readdirSync(blobs)
      .map((name) => `sha256:${name}`)
      .filter(isDigest)
  }

  function list(): Blob[] {
    return digests().map((digest) => ({ digest, size: size(digest) }))
  }

  function isHeld(digest: Digest): boolean {
    return leases.values().some(({ held }) => held.has(digest))
  }

  /** Puts a whole file in the place of its blob; it is gone when that fails. Takes over `file`, to sync it. */
  async function enter(digest: Digest, temporary: string, file: FileHandle, lease: OpenLease): Promise<void> {
    // Held before it can be seen: a collection may run between any two awaits.
    lease.hold(digest)
    // Whoever finds it from now on has to wait for the disk before naming it: see `Lease.durable`.
    const synced = lease.sync(digest, file)
    try {
      // What is there may be on the disk and have a row: it is only replaced by what is on the disk.
      if (sizeOf(digest) !== undefined) await synced
      await rename(temporary, path(digest))
    } catch (error) {
      await unlink(temporary)
      throw error
    }
  }

  return {
    lease(): Lease {
      const lease = createLease({ syncDirectory: () => syncDirectory(blobs), syncing, ended: () => leases.delete(lease) })
      leases.add(lease)
      return lease
    },

    async ingest(source, options) {
      const lease = options.lease as OpenLease // there are no others
      using place = newTemporary()
      const temporary = place.path
      const growth = options.growing === undefined ? undefined : createGrowth(temporary)
      using _end = { [Symbol.dispose]: () => growth?.end('failed') }
      const { blob, file } = await ingestFile(temporary, source, {
        ...options,
        ...(growth !== undefined && { opened: () => options.growing?.(growth.blob), written: growth.grow }),
      })
      await enter(blob.digest, temporary, file, lease)
      growth?.end('whole')
      await lease.room()
      return blob
    },

    async adopt(write, options) {
      const lease = options.lease as OpenLease // there are no others
      using place = newTemporary()
      let written: { digest: Digest; file: FileHandle }
      try {
        written = { digest: await write(place.path), file: await open(place.path, 'r') }
      } catch (error) {
        await rm(place.path, { force: true })
        throw error
      }
      const { size: bytes } = await written.file.stat()
      await enter(written.digest, place.path, written.file, lease)
      await lease.room()
      return { digest: written.digest, size: bytes }
    },

    isHeld,
    has: (digest) => sizeOf(digest) !== undefined,
    size,
    path,
    list,

    read(digest) {
      size(digest)
      return createReadStream(path(digest), { highWaterMark: 512 * 1024 })
    },

    readAll(digest, limit) {
      const bytes = size(digest)
      if (bytes > limit) throw invalidArgument(`content ${digest}: ${bytes} bytes, at most ${limit} are allowed`)
      return readFileSync(path(digest))
    },

    diskUsage() {
      const sizes = new Map<Digest, number>()
      for (const digest of digests()) sizes.set(digest, diskSpace(path(digest)))
      const others = readdirSync(ingests).map((name) => join(ingests, name))
      const directories = [deps.root, dirname(blobs), blobs, ingests]
      return { blobs: sizes, other: [...others, ...directories].reduce((sum, place) => sum + diskSpace(place), 0) }
    },

    discard(digest) {
      if (isHeld(digest)) return false
      rmSync(path(digest), { force: true })
      return true
    },

    leftovers() {
      const strangers = readdirSync(blobs).filter((name) => !isDigest(`sha256:${name}`))
      const stale = readdirSync(ingests).filter((name) => !active.has(name))
      return [...strangers.map((name) => join(blobs, name)), ...stale.map((name) => join(ingests, name))]
    },

    async collect(keep) {
      // All are taken away in one turn of the event loop. Between two turns an operation may finish: its blobs are in `keep` no more than they
      // are held then, and a blob that comes back under its digest may be a new one.
      const doomed = digests().filter((digest) => !keep.has(digest) && !isHeld(digest))
      let freed = 0
      using names = new DisposableStack()
      const aside = doomed.map((digest) => {
        const temporary = names.use(newTemporary())
        freed += size(digest)
        renameSync(path(digest), temporary.path)
        return temporary
      })
      for (const { path: temporary } of aside) await rm(temporary, { force: true })
      return freed
    },

    async restore() {
      for (const name of await readdir(ingests)) await rm(join(ingests, name), { force: true })
    },
  }
}

/** Makes a rename in `path` survive a loss of power: syncing the file alone does not say where it is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Whole blocks; 0 for what is gone. */
function diskSpace(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512
}
