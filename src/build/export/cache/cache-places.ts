import { invalidArgument, notImplemented } from '#errors'
import type { CachePlaces } from '../../build-deps.ts'
import { AttributeReader } from '../attributes.ts'
import type { CacheDeps } from './store-cache.ts'
import { prepareLocalCache } from './local-cache.ts'
import { prepareRegistryCache } from './registry-cache.ts'
import { openCache, shownImport } from './import-cache.ts'
import { openServiceCache, prepareServiceCache } from './services/service-cache.ts'
import { serviceKind } from './services/service-kinds.ts'

/**
 * Caches at other places: `type=registry` and `type=local`, which have manifests, and services that keep blobs under names; `inline` is part of an image and is
 * written with it. They have no state: what is stored while one works is held by the build's lease.
 */
export function createCachePlaces(deps: CacheDeps): CachePlaces {
  return {
    prepare({ type, attributes }) {
      const reader = new AttributeReader(`${type} cache`, attributes)
      if (type === 'registry') return prepareRegistryCache(deps, reader)
      if (type === 'local') return prepareLocalCache(deps, reader)
      return prepareServiceCache(deps, serviceKind(type) ?? unknownType(type, 'exporter'), reader)
    },
    async open(location, context) {
      const { type } = location
      if (type === 'registry' || type === 'local') return await openCache(deps, location, context)
      const kind = serviceKind(type)
      if (kind !== undefined) return await openServiceCache(deps, kind, location, context)
      // A build goes on without a cache that it cannot read: only who sees the vertex hears of it.
      return await shownImport(context, type, async () => unknownType(type, 'importer'))
    },
  }
}

function unknownType(type: string, what: 'importer' | 'exporter'): never {
  if (type === 'azblob') throw notImplemented(`cache ${what} type=azblob is not supported; use registry, local, inline, gha or s3`)
  throw invalidArgument(`unknown cache ${what}: ${JSON.stringify(type)}`)
}
