import { invalidArgument } from '#errors'
import type { BuildExport } from '../../build-deps.ts'
import type { AttributeReader } from '../attributes.ts'
import { cacheExport } from './cache-export.ts'
import { cacheAnswer, readCacheOptions, readDocumentOptions, storeDocuments } from './store-cache.ts'
import type { CacheDeps } from './store-cache.ts'

/** `type=local,dest=…`: a layout of the client, which writes its index itself. Source: moby/buildkit cache/remotecache/local. */
export function prepareLocalCache(deps: CacheDeps, reader: AttributeReader): BuildExport {
  const destination = reader.take('dest')
  if (destination === undefined || destination === '') throw invalidArgument('local cache exporter requires dest')
  // For the client: what its index calls the cache, and whether it deletes what that does not list.
  reader.take('tag')
  reader.take('reset')
  const options = readCacheOptions(reader)
  const documents = readDocumentOptions(reader)
  reader.end()
  return cacheExport(deps, options, {
    name: 'exporting cache to client directory',
    async send(assembly, content) {
      const { target, blobs } = await storeDocuments(assembly, content, documents)
      const { session, signal } = assembly.context
      const store = session.store(localStore(destination))
      for (const { mediaType, digest, size } of [...blobs, target]) {
        if ((await store.size(digest)) !== undefined) continue
        const write = (): Promise<void> => store.write(digest, size, deps.content.read(digest), { mediaType, signal })
        await assembly.vertex.step(`${digest === target.digest ? 'writing cache manifest' : 'copying'} ${digest}`, write)
      }
      return cacheAnswer(target)
    },
  })
}

/** The client's name for the store of a directory. */
export function localStore(directory: string): string {
  return `local:${directory}`
}
