import { invalidArgument } from '#errors'
import type { Digest } from '#oci'
import { backoff, isTransient } from '../session/backoff.ts'
import { RegistryError } from '../session/registry-error.ts'
import { anySignal, checkCancelled, pause } from '../transport/cancel.ts'
import type { PushBlobOptions, PushedBlob } from '../types.ts'
import { hasBlob } from './head-blob.ts'
import type { RepositoryContext } from './repository-context.ts'
import { createUploads } from './uploads.ts'
import type { Upload, Uploads } from './uploads.ts'

/** Smaller blobs of known digest go in one request. */
const MONOLITHIC_SIZE = 1024 * 1024

/** See `RemoteRepository.pushBlob`. An upload that fails for good is cancelled at the registry as far as it listens. */
export async function pushBlob(context: RepositoryContext, options: PushBlobOptions): Promise<PushedBlob> {
  const signal = anySignal(context.signal, options.signal)
  const { digest } = options
  if (digest !== undefined && (await hasBlob(context, digest, signal))) return { kind: 'exists' }
  const [session] = await context.sessions('push')
  const uploads = createUploads(session, context.name.path)
  let upload: Upload | undefined
  let reached = 0
  let failures = 0
  let renewed = false
  for (;;) {
    try {
      if (upload === undefined) {
        const started = await uploads.start(mountOf(options), signal)
        if (started.kind === 'mounted') return { kind: 'mounted', from: options.mountFrom ?? '' }
        upload = started.upload
      }
      return { kind: 'uploaded', ...(await transfer(uploads, upload, options, signal)) }
    } catch (error) {
      const far: number = upload?.sent ?? 0
      failures = far > reached ? 1 : failures + 1
      reached = Math.max(reached, far)
      // A streamed body cannot be sent twice: when its token had expired, the next request has a new one.
      const expired: boolean = error instanceof RegistryError && error.status === 401 && !renewed && far > 0
      renewed ||= expired
      const retry = (isTransient(error) || expired) && failures < context.attempts() && signal?.aborted !== true
      const wait = retry ? backoff(failures, error, context.limits) : undefined
      if (wait === undefined) {
        await uploads.cancel(upload)
        checkCancelled(signal)
        throw error
      }
      await pause(wait, signal)
      upload = await recovered(uploads, upload, options, signal)
    }
  }
}

function mountOf({ digest, mountFrom }: PushBlobOptions): { digest: Digest; from: string } | undefined {
  return digest !== undefined && mountFrom !== undefined ? { digest, from: mountFrom } : undefined
}

async function transfer(
  uploads: Uploads,
  upload: Upload,
  options: PushBlobOptions,
  signal: AbortSignal | undefined,
): Promise<{ digest: Digest; size: number }> {
  const { digest, size, progress } = options
  if (digest !== undefined && size !== undefined && size <= MONOLITHIC_SIZE && upload.offset === 0) {
    const body = await collect(options.open(signal), size, digest)
    await uploads.finish(upload, digest, signal, body)
    progress?.(size)
    return { digest, size }
  }
  // Nothing is left when the connection broke behind the last byte, and no range says nothing.
  if (upload.offset === 0 || upload.offset !== size)
    await uploads.append(upload, skipping(options.open(signal), upload.offset), { size, signal, progress })
  const result = digest !== undefined ? { digest, size: size ?? upload.sent } : options.result?.()
  if (result === undefined) throw new Error('Cannot finish an upload: neither a digest nor a result was given')
  if (result.size !== upload.sent) throw invalidArgument(`blob ${result.digest} has ${result.size} bytes, ${upload.sent} were read`)
  await uploads.finish(upload, result.digest, signal)
  return result
}

/**
 * The upload to go on with, or undefined to begin a new one. Only content of a known digest goes on in the middle: what is compressed on
 * the way is not certain to be the same bytes again.
 */
async function recovered(
  uploads: Uploads,
  upload: Upload | undefined,
  { digest, size = Infinity }: PushBlobOptions,
  signal: AbortSignal | undefined,
): Promise<Upload | undefined> {
  if (upload === undefined) return undefined
  const found = digest === undefined ? undefined : await uploads.recover(upload, signal)
  // A registry that has more than there is has something else.
  if (found !== undefined && found.offset <= size) return found
  await uploads.cancel(upload)
  return undefined
}

async function collect(source: AsyncIterable<Buffer>, size: number, digest: Digest): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of source) {
    length += chunk.length
    if (length > size) break
    chunks.push(chunk)
  }
  if (length !== size) throw invalidArgument(`blob ${digest} has ${size} bytes, ${length} were read`)
  return Buffer.concat(chunks)
}

async function* skipping(source: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer, void, void> {
  let left = count
  for await (const chunk of source) {
    const skipped = Math.min(left, chunk.length)
    left -= skipped
    if (skipped < chunk.length) yield chunk.subarray(skipped)
  }
}
