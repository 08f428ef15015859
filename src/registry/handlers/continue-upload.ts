import type { Exchange } from '../http/exchange.ts'
import { RegistryError } from '../http/registry-error.ts'
import type { RouteParameters } from '../http/route-table.ts'
import { completeUpload } from './complete-upload.ts'
import { readDigest } from './read-reference.ts'
import { findUpload, receiveChunk } from './receive-chunk.ts'
import type { HandlerDeps } from './types.ts'
import { uploadHeaders } from './upload-headers.ts'

/** `GET /v2/<name>/blobs/uploads/<id>` (end-13): how far it is. Not locked: a client that lost its connection asks while the old one is still open. */
export async function showUpload(exchange: Exchange, { name, reference: id }: RouteParameters, deps: HandlerDeps): Promise<void> {
  exchange.send(204, uploadHeaders(await findUpload(name, id, deps)))
}

/** `PATCH /v2/<name>/blobs/uploads/<id>` (end-5): a chunk with `Content-Range`, or as many bytes as come. */
export async function appendUpload(exchange: Exchange, { name, reference: id }: RouteParameters, deps: HandlerDeps): Promise<void> {
  using _lock = await deps.uploadLocks.lock(id)
  const upload = await findUpload(name, id, deps)
  const { size, digester } = await receiveChunk(exchange, upload, deps)
  deps.uploadHashes.put(id, size, digester)
  exchange.send(202, uploadHeaders({ ...upload, size }))
}

/** `PUT /v2/<name>/blobs/uploads/<id>?digest=` (end-6): the last chunk or none; then the blob is there. */
export async function finishUpload(exchange: Exchange, { name, reference: id }: RouteParameters, deps: HandlerDeps): Promise<void> {
  const digest = exchange.query.get('digest')
  if (digest === null) throw new RegistryError('DIGEST_INVALID', { message: 'digest parameter missing' })
  const expected = readDigest(digest)
  using _lock = await deps.uploadLocks.lock(id)
  await completeUpload(exchange, await findUpload(name, id, deps), expected, deps)
}

/** `DELETE /v2/<name>/blobs/uploads/<id>` (end-14). */
export async function cancelUpload(exchange: Exchange, { name, reference: id }: RouteParameters, deps: HandlerDeps): Promise<void> {
  using _lock = await deps.uploadLocks.lock(id)
  await findUpload(name, id, deps)
  await deps.storage.uploads.abort(id)
  exchange.send(204)
}
