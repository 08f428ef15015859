import type { Digest } from '#oci'
import type { Exchange } from '../http/exchange.ts'
import { RegistryError } from '../http/registry-error.ts'
import type { StoredUpload } from '../storage/types.ts'
import { publishEvent } from './publish-event.ts'
import { receiveChunk } from './receive-chunk.ts'
import type { HandlerDeps } from './types.ts'

/**
 * Takes the rest of an upload, if there is one, and makes a blob of it; answers 201. The caller holds the upload's lock. Throws DIGEST_INVALID, and
 * drops the upload then: no bytes that may follow would make it right.
 */
export async function completeUpload(exchange: Exchange, upload: StoredUpload, expected: Digest, deps: HandlerDeps): Promise<void> {
  const { owner: name, id } = upload
  const { size, digester } = await receiveChunk(exchange, upload, deps)
  const actual = digester.digest()
  if (actual !== expected) {
    await deps.storage.uploads.abort(id)
    throw new RegistryError('DIGEST_INVALID', { detail: { digest: expected, content: actual } })
  }
  await deps.keeper.commit(id, expected)
  await deps.repositories.open(name).linkBlob(expected)
  const path = `/v2/${name}/blobs/${expected}`
  exchange.send(201, { Location: path, 'Docker-Content-Digest': expected })
  publishEvent(deps, exchange, 'push', name, { digest: expected, mediaType: 'application/octet-stream', size, path })
}
