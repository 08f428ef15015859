import { AsyncMutex } from '#lib'
import type { Digest } from '#oci'
import { readManifest } from '../repositories/manifest-document.ts'
import type { BlobKeeper, Repositories, Repository } from '../repositories/types.ts'
import type { RegistryStorage } from '../storage/types.ts'
import type { CollectionLock } from './collection-lock.ts'
import { liveManifests, type ManifestNode } from './live-manifests.ts'
import type { CollectOptions, Collector, CollectReport } from './types.ts'

export interface CollectorDeps {
  storage: RegistryStorage
  repositories: Repositories
  /** Of the server that takes the pushes: its locks are what makes a collection safe while they run. */
  keeper: BlobKeeper
  /** Keeps collections of other processes away. */
  lock: CollectionLock
  now?: () => number
}

/**
 * Mark and sweep. A push touches every blob it relies on before it writes the manifest that names it. So what was marked is named, what is young was
 * touched, and what is neither cannot be part of a push that began within the grace time; the keeper looks once more at the moment of the deletion.
 * A crash at any point leaves blobs that are not named, never names without blobs.
 */
export function createCollector(deps: CollectorDeps): Collector {
  const { storage, repositories, keeper, now = Date.now } = deps
  const turn = new AsyncMutex()

  async function nodesOf(repository: Repository): Promise<(ManifestNode & { document: ReturnType<typeof readManifest> })[]> {
    const nodes = []
    for await (const { digest, mediaType } of repository.manifests()) {
      const manifest = await repository.readManifest(digest)
      // Deleted since it was listed, or its bytes are lost: it keeps nothing alive.
      if (manifest === undefined) continue
      // A manifest that was taken and cannot be understood now ends the collection: what it names is not known.
      const document = readManifest(manifest.bytes, mediaType)
      nodes.push({ document, tagged: (await repository.tagsOf(digest)).length > 0 })
    }
    return nodes
  }

  /** Marks what the manifests of a repository need, less those that go. */
  async function mark(
    repository: Repository,
    marked: Set<Digest>,
    report: CollectReport,
    options: CollectOptions,
    begun: number,
  ): Promise<void> {
    const nodes = await nodesOf(repository)
    const live = options.deleteUntagged ? liveManifests(nodes) : undefined
    for (const { document } of nodes) {
      options.signal?.throwIfAborted()
      const { digest } = document
      report.manifests++
      const untouchedSince = begun - (live?.has(digest) === false ? options.grace : (options.expireAfter ?? Infinity))
      // Touched just now, it stays, and all that it names.
      if (untouchedSince > -Infinity && (await deleteManifest(repository, digest, untouchedSince, options))) {
        report.deletedManifests++
        options.removed?.({ kind: 'manifest', repository: repository.name, digest })
        continue
      }
      for (const needed of [digest, ...document.blobs, ...document.manifests]) marked.add(needed)
    }
  }

  async function deleteManifest(
    repository: Repository,
    digest: Digest,
    untouchedSince: number,
    { dryRun }: CollectOptions,
  ): Promise<boolean> {
    if (!dryRun) return repository.deleteManifest(digest, { untouchedSince })
    const blob = await storage.blobs.stat(digest)
    return blob !== undefined && blob.modified < untouchedSince
  }

  /** Which repositories show a blob that may go: the links go with it. */
  async function linksTo(candidates: ReadonlySet<Digest>): Promise<Map<Digest, Repository[]>> {
    const links = new Map<Digest, Repository[]>()
    for await (const name of repositories.names()) {
      const repository = repositories.open(name)
      for await (const digest of repository.blobs()) {
        if (!candidates.has(digest)) continue
        const known = links.get(digest)
        if (known === undefined) links.set(digest, [repository])
        else known.push(repository)
      }
    }
    return links
  }

  async function sweep(marked: ReadonlySet<Digest>, report: CollectReport, options: CollectOptions, untouchedSince: number): Promise<void> {
    const candidates = new Map<Digest, number>()
    for await (const { digest, size, modified } of storage.blobs.list()) {
      report.blobs++
      if (!marked.has(digest) && modified < untouchedSince) candidates.set(digest, size)
    }
    const links = options.dryRun ? new Map<Digest, Repository[]>() : await linksTo(new Set(candidates.keys()))
    for (const [digest, size] of candidates) {
      options.signal?.throwIfAborted()
      const unlink = async (): Promise<void> => {
        for (const repository of links.get(digest) ?? []) await repository.unlinkBlob(digest)
      }
      const freed = options.dryRun ? size : await keeper.collect(digest, { untouchedSince, before: unlink })
      if (freed === undefined) continue
      report.deletedBlobs++
      report.freed += freed
      options.removed?.({ kind: 'blob', digest, size: freed })
    }
  }

  return {
    async collect(options) {
      using _turn = await turn.lock()
      await using lease = await deps.lock.acquire()
      const begun = now()
      const signals = [lease.signal, options.signal].filter((signal) => signal !== undefined)
      const guarded = { ...options, ...(signals.length > 0 && { signal: AbortSignal.any(signals) }) }
      const report: CollectReport = { repositories: 0, manifests: 0, blobs: 0, deletedManifests: 0, deletedBlobs: 0, freed: 0 }
      const marked = new Set<Digest>()
      for await (const name of repositories.names()) {
        report.repositories++
        await mark(repositories.open(name), marked, report, guarded, begun)
      }
      await sweep(marked, report, guarded, begun - options.grace)
      return report
    },

    async purgeUploads({ before, dryRun, log }) {
      let count = 0
      for await (const { id, owner, started, modified, size } of storage.uploads.list()) {
        // One that still grows is slow, not forgotten.
        if (started >= before || modified >= before) continue
        count++
        log.info(dryRun ? 'upload would be given up' : 'upload is given up', { id, repository: owner, size })
        if (!dryRun) await storage.uploads.abort(id)
      }
      return count
    },
  }
}
