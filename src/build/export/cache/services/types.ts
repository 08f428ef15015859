import type { Descriptor } from '#oci'
import type { AttributeReader } from '../../attributes.ts'
import type { CacheDeps } from '../store-cache.ts'

/**
 * A service that keeps a cache: layers by their digests, and what they are of under the cache's names. Keys are as BuildKit has them, so that what looks after its
 * caches finds ours. Opened for one export or one import.
 */
export interface CacheService {
  /** Cache configs under the names that are to be read; none: there is no cache yet. Each at most `MAX_CACHE_CONFIG` bytes. */
  readConfigs(signal: AbortSignal): Promise<Buffer[]>
  /** Content of a layer from `offset` on. Throws NOT_FOUND. */
  readBlob(blob: Descriptor, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Whether it is there. A service that deletes by age is told that it is in use. */
  hasBlob(blob: Descriptor, signal: AbortSignal): Promise<boolean>
  writeBlob(blob: Descriptor, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
  /** Replaces what was there under the cache's names. */
  writeConfig(config: Buffer, signal: AbortSignal): Promise<void>
}

/** A cache of a service, whose attributes have been read. */
export interface ServiceCache {
  /** Layers that are written at the same time. */
  parallelism: number
  /** Asks nothing of the service yet. Throws INVALID_ARGUMENT. */
  open: () => Promise<CacheService>
}

export interface ServiceKind {
  /** As BuildKit shows an export to it. */
  exportName: string
  /** As progress shows an import from it; by attributes that nobody has looked at. */
  shown(attributes: Readonly<Record<string, string>>): string
  /** Throws INVALID_ARGUMENT. */
  read(reader: AttributeReader, deps: Pick<CacheDeps, 'proxies'>): ServiceCache
}
