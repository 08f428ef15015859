import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Code, ConnectError, content, create, type ServiceImpl } from '#grpc'

/** Bytes of a blob in one message. */
const CHUNK = 1024 * 1024

const { WriteAction } = content

/** Where blobs of an OCI layout are, by the id under which the engine knows the layout. */
export type StoreDirectories = ReadonlyMap<string, string>

const STORE_HEADER = 'buildkit-attachable-store-id'

/** containerd's content service over OCI layouts on this disk: contexts (`oci-layout://`), and local caches, which are written, too. */
export function contentService(stores: StoreDirectories): Partial<ServiceImpl<typeof content.Content>> {
  function blobPath(headers: Headers, digest: string): string {
    const directory = stores.get(headers.get(STORE_HEADER) ?? '')
    if (directory === undefined) throw new ConnectError('no such store', Code.NotFound)
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new ConnectError(`invalid digest ${JSON.stringify(digest)}`, Code.InvalidArgument)
    return join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length))
  }

  return {
    info({ digest }, { requestHeader }) {
      const found = statSync(blobPath(requestHeader, digest), { throwIfNoEntry: false })
      if (found === undefined) throw notFound(digest)
      return { info: { digest, size: BigInt(found.size) } }
    },

    async *read({ digest, offset, size }, { requestHeader }) {
      const path = blobPath(requestHeader, digest)
      if (!existsSync(path)) throw notFound(digest)
      const start = Number(offset)
      const end = size === 0n ? {} : { end: start + Number(size) - 1 }
      let at = start
      for await (const data of createReadStream(path, { start, ...end, highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
        yield create(content.ReadContentResponseSchema, { offset: BigInt(at), data })
        at += data.length
      }
    },

    async *write(requests, { requestHeader }) {
      await using upload = new Upload((digest) => blobPath(requestHeader, digest))
      for await (const { action, data, expected } of requests) {
        if (expected !== '') await upload.begin(expected)
        await upload.write(data)
        if (action === WriteAction.COMMIT) await upload.commit()
        yield create(content.WriteContentResponseSchema, {
          action,
          offset: BigInt(upload.offset),
          total: BigInt(upload.offset),
          digest: upload.digest,
        })
      }
    },
  }
}

/** A blob on its way in: under another name until it is whole and its digest right. */
class Upload {
  readonly #pathOf: (digest: string) => string
  readonly #hash = createHash('sha256')
  #file: FileHandle | undefined
  #partial = ''
  digest = ''
  offset = 0

  constructor(pathOf: (digest: string) => string) {
    this.#pathOf = pathOf
  }

  async begin(expected: string): Promise<void> {
    if (this.digest === expected) return
    this.digest = expected
    const path = this.#pathOf(expected)
    if (existsSync(path)) throw new ConnectError(`content ${expected}: already exists`, Code.AlreadyExists)
    mkdirSync(join(path, '..'), { recursive: true })
    this.#partial = `${path}.${process.pid}.partial`
    this.#file = await open(this.#partial, 'w')
  }

  async write(data: Uint8Array): Promise<void> {
    if (data.length === 0) return
    if (this.#file === undefined) throw new ConnectError('a blob must be announced by its digest', Code.InvalidArgument)
    this.#hash.update(data)
    await this.#file.writeFile(data)
    this.offset += data.length
  }

  async commit(): Promise<void> {
    const actual = `sha256:${this.#hash.digest('hex')}`
    if (actual !== this.digest)
      throw new ConnectError(`unexpected commit digest ${actual}, expected ${this.digest}`, Code.FailedPrecondition)
    await this.#file?.close()
    this.#file = undefined
    renameSync(this.#partial, this.#pathOf(this.digest))
    this.#partial = ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close()
    if (this.#partial !== '') rmSync(this.#partial, { force: true })
  }
}

function notFound(digest: string): ConnectError {
  return new ConnectError(`content ${digest}: not found`, Code.NotFound)
}
