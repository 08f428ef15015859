import type { CachePlaces } from './build-deps.ts'
import type { CacheLocation, ExportContext, ImportedCache } from './types.ts'

/** Opens the places that a build imports caches from, all at once, when the first step asks. One that cannot be read is left out, as with BuildKit. */
export function createImports(
  places: Pick<CachePlaces, 'open'>,
  locations: readonly CacheLocation[],
  context: Pick<ExportContext, 'session' | 'signal' | 'progress' | 'lease'>,
): () => Promise<readonly ImportedCache[]> {
  let opened: Promise<readonly ImportedCache[]> | undefined
  const open = async (location: CacheLocation): Promise<ImportedCache[]> => {
    try {
      return [await places.open(location, context)]
    } catch {
      // Shown with its vertex. A build without its caches is slower, not wrong.
      context.signal.throwIfAborted()
      return []
    }
  }
  return () => (opened ??= Promise.all(locations.map(open)).then((caches) => caches.flat()))
}
