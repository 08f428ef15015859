import { Readable } from 'node:stream'
import { codeOf } from '#errors'
import type { Digest } from '#oci'
import { ExpiringCache } from '../auth/expiring-cache.ts'
import { RegistryError } from '../http/registry-error.ts'
import { readManifest } from '../repositories/manifest-document.ts'
import type { BlobKeeper, Repositories, Repository } from '../repositories/types.ts'
import type { RegistryStorage } from '../storage/types.ts'
import type { RegistryLog, Upstream } from '../types.ts'
import { startBlobFlight, type BlobFlight } from './blob-flight.ts'
import type { UpstreamRegistry } from './open-upstream.ts'
import { createSingleFlight } from './single-flight.ts'

export interface CachedUpstreamDeps {
  upstream: UpstreamRegistry
  storage: RegistryStorage
  repositories: Repositories
  keeper: BlobKeeper
  /** Milliseconds for which a tag is believed without asking again. */
  tagTtl: number
  log: RegistryLog
  now?: () => number
}

/** Milliseconds that a client with a copy here waits for an upstream that does not answer. */
const REVALIDATION_TIMEOUT = 10_000
/** Milliseconds for which an upstream that failed is not asked about what is here. */
const DOWN_FOR = 10_000
const SIZES_REMEMBERED = 10_000
const SIZES_FOR = 10 * 60_000

/**
 * A registry's content as far as clients have asked for it. Tags are asked for anew, manifests and blobs by digest never change. While the upstream cannot
 * be reached, what is here is served. What it says it does not have (any more) is gone here, too. Disposing breaks off what is under way.
 */
export function createCachedUpstream(deps: CachedUpstreamDeps): Upstream & AsyncDisposable {
  const { upstream, storage, repositories, keeper, tagTtl, log, now = Date.now } = deps
  const refreshes = createSingleFlight()
  const flights = new Map<Digest, BlobFlight>()
  const fresh = new ExpiringCache<true>(SIZES_REMEMBERED, now)
  const sizes = new ExpiringCache<number>(SIZES_REMEMBERED, now)
  const ending = new AbortController()
  let downUntil = 0

  async function fetchManifest(repository: Repository, digest: Digest, tag: string | undefined): Promise<void> {
    const { bytes, descriptor } = await upstream.repository(repository.name).fetchManifest({ digest }, { signal: ending.signal })
    await repository.putManifest(readManifest(bytes, descriptor.mediaType), tag)
  }

  async function refreshDigest(repository: Repository, digest: Digest): Promise<void> {
    // Also notes that somebody asked for it: what nobody asks for expires.
    if (await repository.keepManifest(digest)) return
    await fetchManifest(repository, digest, undefined).catch(ignoreMissing)
  }

  async function refreshTag(repository: Repository, tag: string): Promise<void> {
    const key = `${repository.name}:${tag}`
    const known = await repository.tag(tag)
    const isHere = known !== undefined && (await repository.keepManifest(known)) !== undefined
    if (isHere && (fresh.get(key) === true || now() < downUntil)) return
    try {
      const timeout = isHere ? [AbortSignal.timeout(REVALIDATION_TIMEOUT)] : []
      const signal = AbortSignal.any([ending.signal, ...timeout])
      const { digest } = await upstream.repository(repository.name).resolve({ tag }, { signal })
      if (!isHere || digest !== known) {
        if (await repository.keepManifest(digest)) await repository.putTag(tag, digest)
        else await fetchManifest(repository, digest, tag)
      }
      if (tagTtl > 0) fresh.set(key, true, tagTtl)
    } catch (error) {
      if (codeOf(error) === 'NOT_FOUND') {
        await repository.deleteTag(tag)
        return
      }
      if (!isHere) throw toClient(error)
      downUntil = now() + DOWN_FOR
      log.error(`the upstream cannot be asked about ${key}; the copy here is served`, error)
    }
  }

  function startFlight(repository: Repository, digest: Digest, size: number): BlobFlight {
    const flight = startBlobFlight({
      storage,
      keeper,
      repository: repository.name,
      blob: { digest, size },
      open: () => upstream.repository(repository.name).fetchBlob({ digest, size }, { signal: ending.signal }),
    })
    flights.set(digest, flight)
    flight.landed
      .catch((error: unknown) => log.error(`blob ${digest} of ${repository.name} did not come`, error))
      .finally(() => flights.delete(digest))
    return flight
  }

  async function sizeOf(name: string, digest: Digest, signal: AbortSignal): Promise<number | undefined> {
    const key = `${name}@${digest}`
    const known = sizes.get(key)
    if (known !== undefined) return known
    try {
      const found = await upstream.repository(name).statBlob(digest, { signal })
      if (found !== undefined) sizes.set(key, found.size, SIZES_FOR)
      return found?.size
    } catch (error) {
      if (codeOf(error) === 'NOT_FOUND') return undefined
      throw toClient(error)
    }
  }

  return {
    async refreshManifest(name, reference, { signal }) {
      const repository = repositories.open(name)
      if ('digest' in reference) {
        await refreshes.run(`${name}@${reference.digest}`, () => refreshDigest(repository, reference.digest), signal)
      } else await refreshes.run(`${name}:${reference.tag}`, () => refreshTag(repository, reference.tag), signal)
    },

    async statBlob(name, digest, { signal }) {
      const size = await sizeOf(name, digest, signal)
      return size === undefined ? undefined : { size }
    },

    async referrers(name, subject, { signal }) {
      if (now() < downUntil) return undefined
      try {
        const timely = AbortSignal.any([signal, ending.signal, AbortSignal.timeout(REVALIDATION_TIMEOUT)])
        return await upstream.repository(name).referrers(subject, { signal: timely })
      } catch (error) {
        log.error(`the upstream cannot be asked what speaks of ${name}@${subject}; what is here is listed`, error)
        return undefined
      }
    },

    async readBlob(name, digest, { range, signal }) {
      const repository = repositories.open(name)
      // Another repository has brought it. That this one has it, too, the upstream has said.
      if (await keeper.keep(digest)) {
        await repository.linkBlob(digest)
        return storage.blobs.read(digest, range)
      }
      const size = await sizeOf(name, digest, signal)
      if (size === undefined) throw new RegistryError('BLOB_UNKNOWN', { detail: { digest } })
      const flight = flights.get(digest) ?? startFlight(repository, digest, size)
      // The link of a client that leaves early is made all the same.
      flight.landed.then(() => repository.linkBlob(digest)).catch(() => {})
      return Readable.from(flight.follow(range ?? { start: 0, end: size - 1 }, signal), { objectMode: false })
    },

    async [Symbol.asyncDispose]() {
      ending.abort()
      await refreshes.settled()
      await Promise.allSettled([...flights.values()].map((flight) => flight.landed))
    },
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'NOT_FOUND') throw toClient(error)
}

/** The upstream's limits are the client's business; everything else is a failure between the two servers. */
function toClient(error: unknown): unknown {
  if (codeOf(error) !== 'RESOURCE_EXHAUSTED') return error
  return new RegistryError('TOOMANYREQUESTS', { message: (error as Error).message, cause: error })
}
