import type { Readable } from 'node:stream'
import type { Digest } from '#oci'
import { parseByteRange, type ByteRange } from '../http/byte-range.ts'
import { etagOf, isUnchanged, rangeApplies } from '../http/conditions.ts'
import type { Exchange } from '../http/exchange.ts'
import { RegistryError } from '../http/registry-error.ts'
import type { RouteParameters } from '../http/route-table.ts'
import { publishEvent } from './publish-event.ts'
import { blobUnknown, readDigest } from './read-reference.ts'
import type { HandlerDeps } from './types.ts'

const MEDIA_TYPE = 'application/octet-stream'

interface FoundBlob {
  size: number
  isLocal: boolean
  read(range: ByteRange | undefined): Promise<Readable>
}

/** `GET` and `HEAD /v2/<name>/blobs/<digest>` (end-2): whole or in part, from here or from the upstream. */
export async function getBlob(exchange: Exchange, { name, reference }: RouteParameters, deps: HandlerDeps): Promise<void> {
  const digest = readDigest(reference)
  const blob = await findBlob(exchange, name, digest, deps)
  if (blob === undefined) throw blobUnknown(digest)
  const headers = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
    'Docker-Content-Digest': digest,
    Etag: etagOf(digest),
  }
  if (isUnchanged(exchange, digest)) return exchange.send(304, headers)
  const isHead = exchange.method === 'HEAD'
  const elsewhere = blob.isLocal ? await deps.storage.redirect(digest, isHead ? 'HEAD' : 'GET') : undefined
  if (elsewhere !== undefined) return exchange.send(307, { ...headers, Location: elsewhere })
  const content = { ...headers, 'Content-Type': MEDIA_TYPE }
  if (isHead) return exchange.send(200, { ...content, 'Content-Length': blob.size })

  const range = rangeApplies(exchange, digest) ? parseByteRange(exchange.header('range'), blob.size) : undefined
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', { message: 'invalid range', headers: { 'Content-Range': `bytes */${blob.size}` } })
  }
  const body = await blob.read(range)
  if (range === undefined) await exchange.sendStream(200, content, blob.size, body)
  else {
    const part = { 'Content-Range': `bytes ${range.start}-${range.end}/${blob.size}` }
    await exchange.sendStream(206, { ...content, ...part }, range.end - range.start + 1, body)
  }
  publishEvent(deps, exchange, 'pull', name, { digest, mediaType: MEDIA_TYPE, size: blob.size, path: exchange.path })
}

async function findBlob(exchange: Exchange, name: string, digest: Digest, deps: HandlerDeps): Promise<FoundBlob | undefined> {
  const { repositories, storage, upstream, isWritable } = deps
  const repository = repositories.open(name)
  // A HEAD is what a client asks before it leaves an upload out.
  const isKept = isWritable && exchange.method === 'HEAD'
  const local = isKept ? await repository.keepBlob(digest) : await repository.statBlob(digest)
  if (local !== undefined) return { size: local.size, isLocal: true, read: (range) => storage.blobs.read(digest, range) }
  const { signal } = exchange
  const remote = await upstream?.statBlob(name, digest, { signal })
  if (upstream === undefined || remote === undefined) return undefined
  return {
    size: remote.size,
    isLocal: false,
    read: (range) => upstream.readBlob(name, digest, { signal, ...(range === undefined ? {} : { range }) }),
  }
}
