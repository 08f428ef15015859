import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { EngineError, notFound } from '#errors'
import type { StoredUpload, UploadStorage } from '../storage/types.ts'
import { blobKey } from './s3-blobs.ts'
import { inOrder } from './in-order.ts'
import type { Bucket, StoredObject } from './types.ts'

const UPLOAD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Source: Amazon S3 User Guide, "Multipart upload limits". */
const MAX_PARTS = 10_000
/** Requests at a time when an upload is removed. */
const PARALLEL = 16

/**
 * Uploads as objects of their own, `uploads/<id>/part-<number>`, each `chunkSize` long but the last: S3's own unfinished multipart uploads can neither be
 * read nor changed at their end. The last part is replaced by a longer one when more comes. A commit joins the parts within the service.
 */
export function createS3Uploads(bucket: Bucket, { chunkSize }: { chunkSize: number }): UploadStorage {
  const directory = (id: string): string => `uploads/${id}/`
  const ownerKey = (id: string): string => `${directory(id)}owner`
  const partKey = (id: string, number: number): string => `${directory(id)}part-${String(number).padStart(5, '0')}`

  async function objects(id: string): Promise<{ owner: StoredObject | undefined; parts: StoredObject[] }> {
    const found: StoredObject[] = []
    if (UPLOAD_ID.test(id)) for await (const object of bucket.list(directory(id))) found.push(object)
    const owner = found.find(({ key }) => key === ownerKey(id))
    return { owner, parts: found.filter((object) => object !== owner) }
  }

  async function partsOf(id: string): Promise<StoredObject[]> {
    const { owner, parts } = await objects(id)
    if (owner === undefined) throw notFound(`upload ${id} is not known`)
    return parts
  }

  async function content(key: string): Promise<Buffer> {
    const body = await bucket.get(key)
    return body === undefined ? Buffer.alloc(0) : await buffer(body)
  }

  async function statUpload(id: string): Promise<StoredUpload | undefined> {
    const { owner, parts } = await objects(id)
    if (owner === undefined) return undefined
    return {
      id,
      owner: (await content(owner.key)).toString('utf8'),
      size: sizeOf(parts),
      started: owner.modified,
      modified: Math.max(owner.modified, ...parts.map((part) => part.modified)),
    }
  }

  async function abort(id: string): Promise<void> {
    const { owner, parts } = await objects(id)
    await inOrder(parts, PARALLEL, ({ key }) => bucket.delete(key))
    // Last: without it nobody would find what is left.
    if (owner !== undefined) await bucket.delete(owner.key)
  }

  return {
    async create(owner) {
      const id = randomUUID()
      await bucket.put(ownerKey(id), Buffer.from(owner))
      const now = Date.now()
      return { id, owner, size: 0, started: now, modified: now }
    },

    stat: statUpload,

    async append(id, chunks, stored) {
      const parts = await partsOf(id)
      const last = parts.at(-1)
      const isShort = last !== undefined && last.size < chunkSize
      // Parts but the last must have their full length to be joined: a short one is taken up again.
      const writer = new PartWriter(
        chunkSize,
        isShort ? [await content(last.key)] : [],
        { parts: parts.length - (isShort ? 1 : 0), size: sizeOf(parts) },
        async (number, bytes) => {
          if (number > MAX_PARTS)
            throw new EngineError('INVALID_ARGUMENT', `the upload is too large: ${MAX_PARTS} parts of ${chunkSize} bytes`)
          await bucket.put(partKey(id, number), bytes)
          // All parts before it have their full length.
          stored?.((number - 1) * chunkSize + bytes.length)
        },
      )
      try {
        for await (const chunk of chunks) await writer.add(chunk)
      } finally {
        await writer.end()
      }
      return writer.size
    },

    async read(id, start = 0) {
      const parts = await partsOf(id)
      return Readable.from(readParts(bucket, parts, start), { objectMode: false })
    },

    async commit(id, digest) {
      const parts = await partsOf(id)
      const [first, second] = parts
      if (first === undefined) await bucket.put(blobKey(digest), Buffer.alloc(0))
      else if (second !== undefined) await bucket.join(parts, blobKey(digest))
      else if (!(await bucket.copy(first, blobKey(digest)))) throw notFound(`upload ${id} is not known`)
      await abort(id)
    },

    abort,

    async *list() {
      for await (const child of bucket.children('uploads')) {
        const upload = child.kind === 'directory' ? await statUpload(child.name) : undefined
        if (upload !== undefined) yield upload
      }
    },
  }
}

function sizeOf(parts: readonly StoredObject[]): number {
  return parts.reduce((sum, part) => sum + part.size, 0)
}

async function* readParts(bucket: Bucket, parts: readonly StoredObject[], start: number): AsyncGenerator<Uint8Array> {
  let position = 0
  for (const { key, size } of parts) {
    const from = Math.max(0, start - position)
    position += size
    if (from >= size) continue
    const body = await bucket.get(key, { start: from })
    // Between the listing and now the upload was committed or given up.
    if (body === undefined) throw notFound('the upload is gone')
    yield* body as AsyncIterable<Uint8Array>
  }
}

/** Cuts a stream of bytes into parts. One part is sent while the next is received, so that at most two are in memory. */
class PartWriter {
  readonly #partSize: number
  readonly #write: (number: number, bytes: Uint8Array) => Promise<void>
  #buffered: Uint8Array[]
  #length: number
  #written: number
  #fresh = false
  #sending: Promise<void> = Promise.resolve()
  /** Bytes in all parts, earlier ones included. */
  size: number

  /** `rest`: bytes behind the full parts that exist; `before`: the number of these, and the bytes of all that exists. */
  constructor(
    partSize: number,
    rest: Uint8Array[],
    before: { parts: number; size: number },
    write: (number: number, bytes: Uint8Array) => Promise<void>,
  ) {
    this.#partSize = partSize
    this.#write = write
    this.#buffered = rest
    this.#length = rest.reduce((sum, chunk) => sum + chunk.length, 0)
    this.#written = before.parts
    this.size = before.size
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.size += chunk.length
    this.#fresh ||= chunk.length > 0
    for (let rest = chunk; rest.length > 0;) {
      const piece = rest.subarray(0, this.#partSize - this.#length)
      rest = rest.subarray(piece.length)
      this.#buffered.push(piece)
      this.#length += piece.length
      if (this.#length === this.#partSize) await this.#send()
    }
  }

  /** Sends what is left, and waits for all. */
  async end(): Promise<void> {
    if (this.#fresh && this.#length > 0) await this.#send()
    await this.#sending
  }

  async #send(): Promise<void> {
    await this.#sending
    const bytes = Buffer.concat(this.#buffered)
    this.#buffered = []
    this.#length = 0
    this.#sending = this.#write(++this.#written, bytes)
    this.#sending.catch(() => {}) // reported where it is awaited
  }
}
