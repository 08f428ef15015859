import { createDigester, type Digester } from '#oci'
import type { Exchange } from '../http/exchange.ts'
import { RegistryError } from '../http/registry-error.ts'
import type { StoredUpload } from '../storage/types.ts'
import { announcedSize, sizeInvalid } from './content-range.ts'
import type { HandlerDeps } from './types.ts'
import { hashOf } from './upload-hashes.ts'

export interface ReceivedChunk {
  /** Bytes of the upload now. */
  size: number
  /** Of all its bytes. */
  digester: Digester
}

/** The upload of a path; the caller holds its lock. Throws BLOB_UPLOAD_UNKNOWN, also for one of another repository. */
export async function findUpload(name: string, id: string, { storage }: HandlerDeps): Promise<StoredUpload> {
  const upload = await storage.uploads.stat(id)
  if (upload?.owner !== name) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', { detail: { upload: id } })
  return upload
}

/**
 * Appends the body of a request to an upload. When the client leaves or sends too much, what came in order is kept, and the client can go on from
 * there. Throws what {@link announcedSize} does, SIZE_INVALID for a body of another length than announced.
 */
export async function receiveChunk(exchange: Exchange, upload: StoredUpload, deps: HandlerDeps): Promise<ReceivedChunk> {
  const { storage, uploadHashes } = deps
  const { id } = upload
  const announced = announcedSize(exchange, upload)
  const digester = uploadHashes.take(id, upload.size) ?? (await hashStored(upload, deps))
  if (announced === 0) return { size: upload.size, digester }
  let hashed = upload.size
  try {
    const chunks = limit(
      exchange.body((chunk) => {
        digester.update(chunk)
        hashed += chunk.length
      }),
      announced,
    )
    const size = await storage.uploads.append(id, chunks)
    const received = size - upload.size
    if (announced !== undefined && received !== announced) throw sizeInvalid(announced, received)
    return { size, digester }
  } catch (error) {
    const stored = await storage.uploads.stat(id)
    if (stored?.size === hashed) uploadHashes.put(id, hashed, digester)
    throw error
  }
}

async function hashStored(upload: StoredUpload, { storage }: HandlerDeps): Promise<Digester> {
  return upload.size === 0 ? createDigester() : await hashOf(await storage.uploads.read(upload.id))
}

/** Ends with SIZE_INVALID before a chunk that exceeds what was announced; only a body without a length can. */
async function* limit(chunks: AsyncIterable<Buffer>, announced = Infinity): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > announced) throw sizeInvalid(announced, size)
    yield chunk
  }
}
