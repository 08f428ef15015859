import { Readable } from 'node:stream'
import type { _Object, CopyObjectCommandInput, ListObjectsV2CommandInput, ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3'
import type * as AwsSdk from './aws-sdk.ts'
import type { S3Config } from '../config/storage-section.ts'
import { inOrder } from './in-order.ts'
import { presign } from './presign.ts'
import type { Bucket, StoredObject } from './types.ts'

type Sdk = typeof AwsSdk

/** Source: Amazon S3 API Reference, CopyObject: above 5 GiB a copy has to be made in parts. */
const MAX_COPY = 5 * 1024 ** 3
/** For a download that was begun within; a client follows the redirect at once. */
const PRESIGNED_SECONDS = 20 * 60
const CONNECT_TIMEOUT_MS = 10_000
/** Without a byte in either direction. */
const SOCKET_TIMEOUT_MS = 60_000
const MAX_SOCKETS = 100
/** The most that S3 lists at once. */
const PAGE = 1000

/** Connects with nothing yet: the first request tells whether the bucket is there. */
export async function openBucket(config: S3Config): Promise<Bucket> {
  const sdk: Sdk = await import('./aws-sdk.ts')
  const client = new sdk.S3Client({
    region: config.region,
    forcePathStyle: config.pathStyle,
    // Checksums that services of others do not know; the signature covers the bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
    ...(config.credentials !== undefined && {
      credentials: {
        accessKeyId: config.credentials.accessKeyId,
        secretAccessKey: config.credentials.secretAccessKey,
        ...(config.credentials.sessionToken !== undefined && { sessionToken: config.credentials.sessionToken }),
      },
    }),
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS, rejectUnauthorized: !config.skipVerify },
    },
  })
  return createBucket(sdk, client, config)
}

function createBucket(sdk: Sdk, client: S3Client, config: S3Config): Bucket {
  const Bucket = config.bucket
  const base = config.prefix === '' ? '' : `${config.prefix}/`
  const Key = (key: string): string => base + key
  /** Of every object that is made. */
  const made: Pick<CopyObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'StorageClass'> = {
    ...(config.encryption && { ServerSideEncryption: config.encryption.keyId === undefined ? 'AES256' : 'aws:kms' }),
    ...(config.encryption?.keyId !== undefined && { SSEKMSKeyId: config.encryption.keyId }),
    ...(config.storageClass !== undefined && { StorageClass: config.storageClass as NonNullable<CopyObjectCommandInput['StorageClass']> }),
  }

  const source = (key: string): string => encodeURIComponent(`${Bucket}/${Key(key)}`).replaceAll('%2F', '/')

  function found({ Key: key = '', Size = 0, LastModified }: _Object): StoredObject {
    return { key: key.slice(base.length), size: Size, modified: LastModified?.getTime() ?? 0 }
  }

  async function* pages(input: Omit<ListObjectsV2CommandInput, 'Bucket'>): AsyncGenerator<ListObjectsV2CommandOutput> {
    let ContinuationToken: string | undefined
    do {
      const page = await client.send(
        new sdk.ListObjectsV2Command({ ...input, Bucket, ...(ContinuationToken !== undefined && { ContinuationToken }) }),
      )
      yield page
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
  }

  /** Makes one object out of ranges of others. What was begun and fails is given up, as parts would be charged for. */
  async function assemble(to: string, pieces: readonly { key: string; range: string | undefined }[]): Promise<void> {
    const target = { Bucket, Key: Key(to) }
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand({ ...target, ...made }))
    try {
      const Parts = await inOrder(pieces, config.copy.concurrency, async ({ key, range }, index) => {
        const PartNumber = index + 1
        const { CopyPartResult } = await client.send(
          new sdk.UploadPartCopyCommand({
            ...target,
            UploadId,
            PartNumber,
            CopySource: source(key),
            ...(range !== undefined && { CopySourceRange: range }),
          }),
        )
        return { PartNumber, ETag: CopyPartResult?.ETag }
      })
      await client.send(new sdk.CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }))
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {}) // the first error is the one to tell
      throw error
    }
  }

  return {
    async head(key) {
      const answer = await unlessMissing(client.send(new sdk.HeadObjectCommand({ Bucket, Key: Key(key) })))
      return answer && { key, size: answer.ContentLength ?? 0, modified: answer.LastModified?.getTime() ?? 0 }
    },

    async get(key, range) {
      const Range = range && `bytes=${range.start}-${range.end ?? ''}`
      const answer = await unlessMissing(client.send(new sdk.GetObjectCommand({ Bucket, Key: Key(key), ...(range && { Range }) })))
      if (answer === undefined) return undefined
      return answer.Body instanceof Readable ? answer.Body : Readable.from([])
    },

    async put(key, bytes) {
      await client.send(new sdk.PutObjectCommand({ Bucket, Key: Key(key), Body: bytes, ContentLength: bytes.length, ...made }))
    },

    async delete(key) {
      await unlessMissing(client.send(new sdk.DeleteObjectCommand({ Bucket, Key: Key(key) })))
    },

    async copy({ key, size }, to) {
      if (size <= Math.min(config.copy.threshold, MAX_COPY)) {
        const copied = await unlessMissing(
          client.send(
            new sdk.CopyObjectCommand({
              Bucket,
              Key: Key(to),
              CopySource: source(key),
              // Without a change of something S3 refuses to copy an object onto itself.
              ...(key === to && { MetadataDirective: 'REPLACE', ContentType: 'application/octet-stream' }),
              ...made,
            }),
          ),
        )
        return copied !== undefined
      }
      const pieces: { key: string; range: string }[] = []
      for (let start = 0; start < size; start += config.copy.partSize) {
        pieces.push({ key, range: `bytes=${start}-${Math.min(start + config.copy.partSize, size) - 1}` })
      }
      return (await unlessMissing(assemble(to, pieces).then(() => true))) ?? false
    },

    join: (parts, to) =>
      assemble(
        to,
        parts.map(({ key }) => ({ key, range: undefined })),
      ),

    async *list(prefix) {
      for await (const page of pages({ Prefix: Key(prefix) })) yield* page.Contents?.map(found) ?? []
    },

    async *children(directory, { after, pageSize = PAGE } = {}) {
      const prefix = Key(`${directory}/`)
      const start = after !== undefined && { StartAfter: prefix + after }
      for await (const page of pages({ Prefix: prefix, Delimiter: '/', MaxKeys: Math.min(pageSize, PAGE), ...start })) {
        for (const object of page.Contents ?? []) {
          const { key, modified } = found(object)
          yield { kind: 'object', name: key.slice(prefix.length - base.length), modified }
        }
        for (const { Prefix = '' } of page.CommonPrefixes ?? []) yield { kind: 'directory', name: Prefix.slice(prefix.length, -1) }
      }
    },

    async check() {
      for await (const _page of pages({ Prefix: base, MaxKeys: 1 })) return
    },

    async presign(key, method) {
      const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials()
      return presign({
        method,
        url: objectUrl(config, Key(key)),
        region: config.region,
        credentials: { accessKeyId, secretAccessKey, sessionToken },
        expires: PRESIGNED_SECONDS,
        now: new Date(),
      })
    },

    [Symbol.dispose]: () => client.destroy(),
  }
}

/** Keys are made of letters, digits and `/._-`; the prefix is the operator's. */
function objectUrl({ endpoint, bucket, region, pathStyle }: S3Config, key: string): URL {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  const path = encodeURIComponent(key).replaceAll('%2F', '/')
  const base = url.pathname.replace(/\/$/, '')
  if (pathStyle) return new URL(`${base}/${bucket}/${path}`, url)
  url.host = `${bucket}.${url.host}`
  return new URL(`${base}/${path}`, url)
}

/** Resolves with undefined where the service says that there is no such object. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } }
    // A missing bucket is 404, too, and no missing object.
    if ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket') return undefined
    throw error
  }
}
