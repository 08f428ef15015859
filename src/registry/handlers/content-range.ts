import type { Exchange } from '../http/exchange.ts'
import { RegistryError } from '../http/registry-error.ts'
import type { StoredUpload } from '../storage/types.ts'
import { uploadHeaders } from './upload-headers.ts'

/**
 * How many bytes the client has announced as the next part of an upload; undefined: as many as come. Throws RANGE_INVALID (416, with the state of the
 * upload) for a chunk that does not begin where the last one ended, SIZE_INVALID when the range and the length are not of one opinion.
 * Source: distribution-spec v1.1, "Pushing a blob in chunks": `^[0-9]+-[0-9]+$`.
 */
export function announcedSize(exchange: Exchange, upload: StoredUpload): number | undefined {
  const header = exchange.header('content-range')
  if (header === undefined) return exchange.contentLength
  const [, first, last] = /^(\d{1,15})-(\d{1,15})$/.exec(header.trim()) ?? []
  const start = Number(first)
  const size = Number(last) - start + 1
  if (first === undefined || last === undefined || size < 1 || start !== upload.size) {
    throw new RegistryError('RANGE_INVALID', {
      headers: uploadHeaders(upload),
      detail: { range: header, next: upload.size },
    })
  }
  if ((exchange.contentLength ?? size) !== size) throw sizeInvalid(size, exchange.contentLength)
  return size
}

export function sizeInvalid(expected: number, actual: number | undefined): RegistryError {
  return new RegistryError('SIZE_INVALID', { detail: { expected, actual } })
}
