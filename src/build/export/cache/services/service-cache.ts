import { inParallel, Semaphore } from '#lib'
import type { BuildExport } from '../../../build-deps.ts'
import type { CacheLocation, ImportedCache } from '../../../types.ts'
import { AttributeReader } from '../../attributes.ts'
import { decodeCacheConfig } from '../cache-config.ts'
import { cacheExport } from '../cache-export.ts'
import { shownImport, type OpenContext } from '../import-cache.ts'
import { importedCache, type LayerOrigin } from '../imported-cache.ts'
import { readCacheOptions } from '../store-cache.ts'
import type { CacheDeps } from '../store-cache.ts'
import { resumed } from './resumed.ts'
import type { CacheService, ServiceKind } from './types.ts'

/** Writes layers that the service lacks, then the config that names them: whoever reads it meanwhile finds all of them. */
export function prepareServiceCache(deps: CacheDeps, kind: ServiceKind, reader: AttributeReader): BuildExport {
  const { parallelism, open } = kind.read(reader, deps)
  const options = readCacheOptions(reader)
  reader.end()
  return cacheExport(deps, options, {
    name: kind.exportName,
    async send({ context: { signal }, vertex }, { config, layers }) {
      const service = await open()
      const places = new Semaphore(() => parallelism)
      await inParallel(layers, signal, async (layer, stop) => {
        using _place = await places.take(stop)
        if (await service.hasBlob(layer, stop)) return
        const { digest } = layer
        await vertex.step(`sending layer ${digest}`, () => service.writeBlob(layer, deps.content.read(digest), stop))
      })
      await vertex.step('sending cache config', () => service.writeConfig(config, signal))
      return {}
    },
  })
}

/** Where a service has several configs, as of a branch and of the one that it comes from, steps are found in any of them. */
export async function openServiceCache(
  deps: CacheDeps,
  kind: ServiceKind,
  { type, attributes }: CacheLocation,
  context: OpenContext,
): Promise<ImportedCache> {
  return await shownImport(context, kind.shown(attributes), async () => {
    const reader = new AttributeReader(`${type} cache`, attributes)
    const { open } = kind.read(reader, deps)
    reader.end()
    const service = await open()
    const found = (await service.readConfigs(context.signal)).map(decodeCacheConfig)
    return importedCache(deps, layersOf(service), {
      cache: { records: found.flatMap(({ cache }) => cache.records) },
      blobs: new Map(found.flatMap(({ blobs }) => [...blobs])),
    })
  })
}

function layersOf(service: CacheService): LayerOrigin {
  return { fetchBlob: (blob, { signal }) => resumed((offset) => service.readBlob(blob, offset, signal), signal) }
}
