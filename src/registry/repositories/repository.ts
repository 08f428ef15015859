import { notFound } from '#errors'
import { readLimited, type KeyedMutex } from '#lib'
import { hexOf, isDigest, type Digest } from '#oci'
import type { RegistryStorage } from '../storage/types.ts'
import type { ManifestDocument } from './manifest-document.ts'
import { repositoryKeys } from './record-keys.ts'
import { readManifestRecord, readReferrer, writeManifestRecord, writeReferrer } from './records.ts'
import type { BlobKeeper, ManifestRecord, Repository } from './types.ts'

const NOTHING = Buffer.alloc(0)

export interface RepositoryDeps {
  storage: RegistryStorage
  keeper: BlobKeeper
  /** By repository name: held while manifests and tags change. */
  locks: KeyedMutex
}

export function createRepository(name: string, { storage, keeper, locks }: RepositoryDeps): Repository {
  const { records, blobs } = storage
  const keys = repositoryKeys(name)

  async function* digestsIn(directory: string): AsyncIterable<Digest> {
    for await (const hex of records.list(directory)) {
      const digest = `sha256:${hex}`
      if (isDigest(digest)) yield digest
    }
  }

  async function statManifest(digest: Digest): Promise<ManifestRecord | undefined> {
    const record = await records.get(keys.manifest(digest))
    return record && readManifestRecord(digest, record)
  }

  async function keepManifest(digest: Digest): Promise<ManifestRecord | undefined> {
    if ((await statManifest(digest)) === undefined || (await keeper.keep(digest)) === undefined) return undefined
    // Looked at again: a collection may have deleted it just before the touch. After the touch it does not.
    return await statManifest(digest)
  }

  async function tagTarget(tag: string): Promise<Digest | undefined> {
    const target = (await records.get(keys.tag(tag)))?.toString('utf8')
    return isDigest(target) ? target : undefined
  }

  /** Under the lock, the manifest being linked. */
  async function pointTag(tag: string, digest: Digest): Promise<void> {
    const before = await tagTarget(tag)
    await records.put(`${keys.tagged(digest)}/${tag}`, NOTHING)
    await records.put(keys.tag(tag), Buffer.from(digest))
    if (before !== undefined && before !== digest) await records.delete(`${keys.tagged(before)}/${tag}`)
  }

  async function tagsOf(digest: Digest): Promise<string[]> {
    const tags: string[] = []
    for await (const tag of records.list(keys.tagged(digest))) if ((await tagTarget(tag)) === digest) tags.push(tag)
    return tags
  }

  return {
    name,

    async exists() {
      for (const directory of [keys.manifests, keys.blobs]) for await (const _link of records.list(directory, { limit: 1 })) return true
      return false
    },

    async statBlob(digest) {
      return (await records.get(keys.blob(digest))) && (await blobs.stat(digest))
    },

    async keepBlob(digest) {
      return (await records.get(keys.blob(digest))) && (await keeper.keep(digest))
    },

    async linkBlob(digest) {
      if ((await records.get(keys.blob(digest))) === undefined) await records.put(keys.blob(digest), NOTHING)
    },

    async unlinkBlob(digest) {
      if ((await records.get(keys.blob(digest))) === undefined) return false
      await records.delete(keys.blob(digest))
      return true
    },

    blobs: () => digestsIn(keys.blobs),

    statManifest,
    keepManifest,

    async readManifest(digest) {
      const record = await statManifest(digest)
      if (record === undefined || (await blobs.stat(digest)) === undefined) return undefined
      return { record, bytes: await readLimited(await blobs.read(digest), record.size) }
    },

    async putManifest(manifest: ManifestDocument, tag?: string) {
      using _lock = await locks.lock(name)
      const { digest } = manifest
      await keeper.put(digest, manifest.bytes)
      await records.put(keys.manifest(digest), writeManifestRecord(manifest))
      if (manifest.subject !== undefined) {
        await records.put(`${keys.referrers(manifest.subject)}/${hexOf(digest)}`, writeReferrer(manifest))
      }
      if (tag !== undefined) await pointTag(tag, digest)
    },

    async deleteManifest(digest, { untouchedSince } = {}) {
      using _lock = await locks.lock(name)
      const record = await statManifest(digest)
      if (record === undefined) return false
      const remove = async (): Promise<void> => {
        for (const tag of await tagsOf(digest)) await records.delete(keys.tag(tag))
        for await (const tag of records.list(keys.tagged(digest))) await records.delete(`${keys.tagged(digest)}/${tag}`)
        if (record.subject !== undefined) await records.delete(`${keys.referrers(record.subject)}/${hexOf(digest)}`)
        await records.delete(keys.manifest(digest))
      }
      if (untouchedSince !== undefined) return await keeper.ifUntouched(digest, untouchedSince, remove)
      await remove()
      return true
    },

    async *manifests() {
      for await (const digest of digestsIn(keys.manifests)) {
        const record = await statManifest(digest)
        if (record !== undefined) yield record
      }
    },

    tag: tagTarget,

    async putTag(tag, digest) {
      using _lock = await locks.lock(name)
      if ((await keepManifest(digest)) === undefined) throw notFound(`manifest ${digest} is not in ${name}`)
      await pointTag(tag, digest)
    },

    async deleteTag(tag) {
      using _lock = await locks.lock(name)
      const target = await tagTarget(tag)
      if (target === undefined) return false
      await records.delete(keys.tag(tag))
      await records.delete(`${keys.tagged(target)}/${tag}`)
      return true
    },

    async *tags(options) {
      yield* records.list(keys.tags, options)
    },

    tagsOf,

    async *referrers(subject, { after } = {}) {
      const directory = keys.referrers(subject)
      for await (const hex of records.list(directory, after === undefined ? {} : { after: hexOf(after) })) {
        const record = await records.get(`${directory}/${hex}`)
        const descriptor = record && readReferrer(record)
        if (descriptor !== undefined) yield descriptor
      }
    },
  }
}
