import { invalidArgument } from '#errors'
import { fullString, parseReference, withDefaultTag } from '#oci'
import type { BuildExport } from '../../build-deps.ts'
import { loginHost } from '../../login-host.ts'
import type { AttributeReader } from '../attributes.ts'
import { uploadProgress } from '../push-result.ts'
import { cacheExport } from './cache-export.ts'
import { cacheAnswer, readCacheOptions, readDocumentOptions, storeDocuments } from './store-cache.ts'
import type { CacheDeps } from './store-cache.ts'

/** `type=registry,ref=…`. Source: moby/buildkit cache/remotecache/registry. */
export function prepareRegistryCache(deps: CacheDeps, reader: AttributeReader): BuildExport {
  const ref = reader.take('ref')
  if (ref === undefined || ref === '') throw invalidArgument('ref is required for the registry cache')
  const reference = withDefaultTag(parseReference(ref))
  if (reference.digest !== undefined) throw invalidArgument(`cannot export a cache to ${ref}: it names a digest`)
  const insecure = reader.boolean('registry.insecure') ?? false
  const options = readCacheOptions(reader)
  const documents = readDocumentOptions(reader)
  reader.end()
  return cacheExport(deps, options, {
    name: 'exporting cache to registry',
    async send(assembly, content) {
      const { target, blobs } = await storeDocuments(assembly, content, documents)
      const { session, signal } = assembly.context
      const credentials = await session.credentials(loginHost(reference))
      await assembly.vertex.step(`writing cache manifest ${target.digest} to ${fullString(reference)}`, (count) =>
        deps.images.upload({
          reference,
          blobs,
          manifests: [target],
          insecure,
          signal,
          report: uploadProgress(count),
          ...(credentials === undefined ? {} : { credentials }),
        }),
      )
      return cacheAnswer(target)
    },
  })
}
