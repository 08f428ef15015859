import { isDigest, type Digest } from '#oci'
import { isAllowed } from '../http/authorise.ts'
import type { Exchange } from '../http/exchange.ts'
import type { RouteParameters } from '../http/route-table.ts'
import { isRepositoryName } from '../repositories/names.ts'
import { completeUpload } from './complete-upload.ts'
import { publishEvent } from './publish-event.ts'
import { readDigest } from './read-reference.ts'
import type { HandlerDeps } from './types.ts'
import { uploadHeaders } from './upload-headers.ts'

/**
 * `POST /v2/<name>/blobs/uploads/`: begins an upload (end-4a), takes a whole blob at once (`?digest=`, end-4b), or takes one over from another
 * repository (`?mount=&from=`, end-11). A mount that cannot be done is an upload that begins.
 */
export async function startUpload(exchange: Exchange, { name }: RouteParameters, deps: HandlerDeps): Promise<void> {
  const { query } = exchange
  const mount = query.get('mount')
  const from = query.get('from')
  if (mount !== null && from !== null && isDigest(mount) && (await mountBlob(exchange, name, mount, from, deps))) return
  const digest = mount === null ? query.get('digest') : null
  const expected = digest === null ? undefined : readDigest(digest)
  const upload = await deps.storage.uploads.create(name)
  if (expected === undefined) return exchange.send(202, uploadHeaders(upload))
  try {
    await completeUpload(exchange, upload, expected, deps)
  } catch (error) {
    // The client was never told its id.
    await deps.storage.uploads.abort(upload.id)
    throw error
  }
}

async function mountBlob(exchange: Exchange, name: string, digest: Digest, from: string, deps: HandlerDeps): Promise<boolean> {
  if (!isRepositoryName(from)) return false
  if (!(await isAllowed(exchange, deps.access, { type: 'repository', name: from, action: 'pull' }))) return false
  const blob = await deps.repositories.open(from).keepBlob(digest)
  if (blob === undefined) return false
  await deps.repositories.open(name).linkBlob(digest)
  const path = `/v2/${name}/blobs/${digest}`
  exchange.send(201, { Location: path, 'Docker-Content-Digest': digest })
  publishEvent(deps, exchange, 'mount', name, {
    digest,
    mediaType: 'application/octet-stream',
    size: blob.size,
    path,
    fromRepository: from,
  })
  return true
}
