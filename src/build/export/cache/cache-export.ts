import type { BuildExport } from '../../build-deps.ts'
import type { ExportContext } from '../../types.ts'
import { exportVertex } from '../export-vertex.ts'
import type { CacheAssembly, CacheContent, CacheDeps, CacheExportOptions } from './store-cache.ts'
import { storeLayers } from './store-cache.ts'

/** Stores a cache's layers and has `send` bring it to its place; shown as one vertex. `send` gives the answers for the client. */
export function cacheExport(
  deps: CacheDeps,
  options: CacheExportOptions,
  { name, send }: { name: string; send: (assembly: CacheAssembly, cache: CacheContent) => Promise<Record<string, string>> },
): BuildExport {
  async function exportCache(context: ExportContext): Promise<Record<string, string>> {
    return await exportVertex(context.progress, name, `${context.provenance.buildId} ${name}`, async (vertex) => {
      const assembly = { deps, context, vertex }
      const stored = await storeLayers(assembly, options)
      if (stored === undefined) {
        await vertex.step('skipping cache export for empty result', async () => {})
        return {}
      }
      return await send(assembly, stored)
    })
  }

  return {
    async export(_result, context) {
      try {
        return await exportCache(context)
      } catch (error) {
        context.signal.throwIfAborted()
        // The vertex has shown it.
        if (options.ignoreError) return {}
        throw error
      }
    },
  }
}
