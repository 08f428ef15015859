import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Readable } from 'node:stream'
import { EngineError, notFound } from '#errors'
import { readLimited } from '#lib'
import type { Digest } from '#oci'
import { MAX_CACHE_CONFIG } from '../../cache-config.ts'
import { chunks } from '../chunks.ts'
import type { CacheService } from '../types.ts'
import type * as AwsSdk from './aws-sdk.ts'
import type { S3Options } from './s3-options.ts'

/** Bytes of a part; a larger object has larger ones, as 10,000 is the most. Source: Amazon S3 User Guide, "Multipart upload limits". */
const PART_SIZE = 8 << 20
const MAX_PARTS = 10_000
/** Source: Amazon S3 API Reference, CopyObject. */
const MAX_COPY = 5 * 1024 ** 3
const CONNECT_TIMEOUT_MS = 10_000
/** Without a byte in either direction. */
const SOCKET_TIMEOUT_MS = 60_000
/** For telling the service that an upload is given up. */
const GIVE_UP_TIMEOUT_MS = 5000

/** Objects of a bucket. The SDK, some 20 MB of memory, is loaded here. */
export async function s3Service(options: S3Options, { proxies }: { proxies: Readonly<Record<string, string>> }): Promise<CacheService> {
  const sdk: typeof AwsSdk = await import('./aws-sdk.ts')
  const { bucket: Bucket, prefix } = options
  const agent = Object.keys(proxies).length === 0 ? {} : { proxyEnv: proxies }
  const client = new sdk.S3Client({
    region: options.region,
    forcePathStyle: options.pathStyle,
    // Checksums that services of others do not know; the signature covers the bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials !== undefined && { credentials: options.credentials }),
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      // Nothing tells when a cache is needed no more: no connection outlives its request.
      httpAgent: new HttpAgent({ keepAlive: false, ...agent }),
      httpsAgent: new HttpsAgent({ keepAlive: false, ...agent }),
    },
  })
  const blobKey = (digest: Digest): string => prefix + options.blobsPrefix + digest
  const configKey = (name: string): string => prefix + options.manifestsPrefix + name

  async function* read(Key: string, offset: number, abortSignal: AbortSignal): AsyncGenerator<Buffer, void, void> {
    const Range = offset === 0 ? undefined : `bytes=${offset}-`
    const { Body } = await explained(client.send(new sdk.GetObjectCommand({ Bucket, Key, ...(Range && { Range }) }), { abortSignal }))
    if (Body instanceof Readable) yield* Body as AsyncIterable<Buffer>
  }

  async function readConfig(name: string, signal: AbortSignal): Promise<Buffer[]> {
    try {
      return [await readLimited(read(configKey(name), 0, signal), MAX_CACHE_CONFIG, 'cache config')]
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }

  async function put(Key: string, Body: Buffer, abortSignal: AbortSignal): Promise<void> {
    await explained(client.send(new sdk.PutObjectCommand({ Bucket, Key, Body, ContentLength: Body.length }), { abortSignal }))
  }

  /** What was begun and fails is given up, as parts would be charged for. */
  async function putInParts(Key: string, content: AsyncIterable<Uint8Array>, partSize: number, abortSignal: AbortSignal): Promise<void> {
    const { UploadId } = await explained(client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key }), { abortSignal }))
    const upload = { Bucket, Key, UploadId }
    try {
      const Parts: { PartNumber: number; ETag: string | undefined }[] = []
      for await (const Body of chunks(content, partSize)) {
        const PartNumber = Parts.length + 1
        const part = new sdk.UploadPartCommand({ ...upload, PartNumber, Body, ContentLength: Body.length })
        const { ETag } = await explained(client.send(part, { abortSignal }))
        Parts.push({ PartNumber, ETag })
      }
      await explained(client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }), { abortSignal }))
    } catch (error) {
      // Of a cancelled build, too, which waits for it; the first error is the one to tell.
      const abortSignal = AbortSignal.timeout(GIVE_UP_TIMEOUT_MS)
      await client.send(new sdk.AbortMultipartUploadCommand(upload), { abortSignal }).catch(() => {})
      throw error
    }
  }

  /** Makes an object young again. Copies of huge ones would have to be made in parts: those may be deleted, and written again then. */
  async function touch(Key: string, size: number, abortSignal: AbortSignal): Promise<void> {
    if (size > MAX_COPY) return
    const copy = new sdk.CopyObjectCommand({
      Bucket,
      Key,
      CopySource: encodeURIComponent(`${Bucket}/${Key}`).replaceAll('%2F', '/'),
      // Without a change of something S3 refuses to copy an object onto itself.
      MetadataDirective: 'REPLACE',
      Metadata: { 'updated-at': new Date().toISOString() },
    })
    await explained(client.send(copy, { abortSignal }))
  }

  return {
    readConfigs: (signal) => readConfig(options.names[0], signal),

    async *readBlob({ digest }, offset, signal) {
      try {
        yield* read(blobKey(digest), offset, signal)
      } catch (error) {
        throw isMissing(error) ? notFound(`blob ${digest} not found`, error) : error
      }
    },

    async hasBlob({ digest }, abortSignal) {
      const Key = blobKey(digest)
      try {
        const { LastModified, ContentLength = 0 } = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }), { abortSignal })
        if (Date.now() - (LastModified?.getTime() ?? 0) > options.touchRefresh) await touch(Key, ContentLength, abortSignal)
        return true
      } catch (error) {
        if (isMissing(error)) return false
        throw explain(error)
      }
    },

    async writeBlob({ digest, size }, content, signal) {
      const partSize = Math.max(PART_SIZE, Math.ceil(size / MAX_PARTS))
      if (size > partSize) return await putInParts(blobKey(digest), content, partSize, signal)
      await put(blobKey(digest), await readLimited(content, size), signal)
    },

    async writeConfig(config, signal) {
      for (const name of options.names) await put(configKey(name), config, signal)
    },
  }
}

/** A missing bucket is 404, too, and no missing object. */
function isMissing(error: unknown): boolean {
  const { name, $metadata, cause } = error as { name?: string; $metadata?: { httpStatusCode?: number }; cause?: unknown }
  if (error instanceof EngineError) return cause !== undefined && isMissing(cause)
  return $metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket'
}

async function explained<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw explain(error)
  }
}

/** The SDK's errors say little about where they come from. */
function explain(error: unknown): unknown {
  const { name = '', message = '', $metadata } = error as { name?: string; message?: string; $metadata?: { httpStatusCode?: number } }
  if (name === 'AbortError' || error instanceof EngineError) return error
  const status = $metadata?.httpStatusCode
  const code = status === 401 || status === 403 ? 'FORBIDDEN' : 'UNAVAILABLE'
  return new EngineError(code, `s3 cache: ${status === undefined ? '' : `${status} `}${name}: ${message}`, { cause: error })
}
