import { invalidArgument, notImplemented } from '#errors'
import type { CachePlaces } from '../../build-deps.ts'
import type { CacheLocation } from '../../types.ts'
import { AttributeReader } from '../attributes.ts'
import type { CacheDeps } from './store-cache.ts'
import { prepareLocalCache } from './local-cache.ts'
import { prepareRegistryCache } from './registry-cache.ts'
import { openCache } from './import-cache.ts'

/**
 * Caches at other places: `type=registry` and `type=local`; `inline` is part of an image and is written with it. They have no state: what is stored while one
 * works is held by the build's lease.
 */
export function createCachePlaces(deps: CacheDeps): CachePlaces {
  return {
    prepare({ type, attributes }) {
      const reader = new AttributeReader(`${type} cache`, attributes)
      if (type === 'registry') return prepareRegistryCache(deps, reader)
      if (type === 'local') return prepareLocalCache(deps, reader)
      throw unknownType({ type, attributes }, 'exporter')
    },
    async open(location, context) {
      if (location.type !== 'registry' && location.type !== 'local') throw unknownType(location, 'importer')
      return await openCache(deps, location, context)
    },
  }
}

/** Known to BuildKit, with a service somewhere that keeps the blobs. */
const SERVICES: ReadonlySet<string> = new Set(['gha', 's3', 'azblob'])

function unknownType({ type }: CacheLocation, what: 'importer' | 'exporter'): Error {
  if (SERVICES.has(type)) return notImplemented(`cache ${what} type=${type} is not supported; use registry, local or inline`)
  return invalidArgument(`unknown cache ${what}: ${JSON.stringify(type)}`)
}
