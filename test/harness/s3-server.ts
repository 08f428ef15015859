import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { signatureProblem, type S3Account } from './s3-signature.ts'

interface StoredObject {
  bytes: Buffer
  modified: Date
}

interface MultipartUpload {
  key: string
  parts: Map<number, Buffer>
}

/** An answer that is an error, by S3's code. */
class S3Error extends Error {
  readonly status: number

  constructor(status: number, code: string) {
    super(code)
    this.status = status
  }
}

interface Call {
  request: IncomingMessage
  response: ServerResponse
  key: string
  query: URLSearchParams
  body: Buffer
}

const MIN_PART = 5 << 20

/**
 * One bucket of an S3-compatible service, in memory: every request has to be signed, and the rules that an implementation runs into hold (parts of 5 MiB,
 * no copy of an object onto itself without a change, pages of 1000). It exists because s3rver, the one such server on npm that was looked at, does
 * not check signatures of version 4, refuses UploadPartCopy and AbortMultipartUpload, reads the range `bytes=0-0` as one without an end, and lists no common
 * prefix whose objects lie more than one level deeper.
 */
export class S3Server implements AsyncDisposable {
  readonly bucket: string = 'registry'
  readonly account: S3Account = { accessKeyId: 'AKIATEST', secretAccessKey: randomUUID(), region: 'eu-test-1' }
  /** Names of S3's operations in the order they came. */
  readonly operations: string[] = []
  /** Set to make operations fail: the status to answer with, or undefined. */
  fault: (operation: string, key: string) => number | undefined = () => undefined
  readonly objects: Map<string, StoredObject> = new Map()
  readonly #uploads = new Map<string, MultipartUpload>()
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response))

  static async start(): Promise<S3Server> {
    const server = new S3Server()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Multipart uploads that were begun and neither completed nor aborted. */
  get unfinished(): number {
    return this.#uploads.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await this.#server[Symbol.asyncDispose]()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await buffer(request)
      const problem = signatureProblem(request, body, this.account)
      if (problem !== undefined) throw new S3Error(403, problem)
      const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://server')
      const [, bucket = '', ...rest] = pathname.split('/').map(decodeURIComponent)
      if (bucket !== this.bucket) throw new S3Error(404, 'NoSuchBucket')
      const call = { request, response, key: rest.join('/'), query, body }
      const operation = operationOf(call)
      this.operations.push(operation)
      const status = this.fault(operation, call.key)
      if (status !== undefined) throw new S3Error(status, 'InternalError')
      this.#operations[operation]?.(call)
      if (!response.writableEnded) throw new S3Error(501, 'NotImplemented')
    } catch (error) {
      const { status, message } = error instanceof S3Error ? error : new S3Error(500, String(error))
      const text = request.method === 'HEAD' ? '' : `<Error><Code>${message}</Code><Message>${message}</Message></Error>`
      response.writeHead(status, { 'Content-Type': 'application/xml' }).end(text)
    }
  }

  readonly #operations: Readonly<Record<string, (call: Call) => void>> = {
    HeadObject: ({ response, key }) => {
      const { bytes, modified } = this.#find(key)
      response.writeHead(200, { 'Content-Length': bytes.length, 'Last-Modified': modified.toUTCString(), ETag: etag(bytes) }).end()
    },
    GetObject: ({ request, response, key }) => {
      const { bytes } = this.#find(key)
      const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
      if (range === null) return void response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes)
      const start = Number(range[1])
      if (start >= bytes.length) throw new S3Error(416, 'InvalidRange')
      const part = bytes.subarray(start, range[2] ? Number(range[2]) + 1 : undefined)
      const shown = `bytes ${start}-${start + part.length - 1}/${bytes.length}`
      response.writeHead(206, { 'Content-Length': part.length, 'Content-Range': shown }).end(part)
    },
    PutObject: ({ response, key, body }) => {
      this.#store(key, body)
      response.writeHead(200, { ETag: etag(body) }).end()
    },
    DeleteObject: ({ response, key }) => {
      this.objects.delete(key)
      response.writeHead(204).end()
    },
    CopyObject: ({ request, response, key }) => {
      const { from, bytes } = this.#source(request)
      if (from === key && request.headers['x-amz-metadata-directive'] !== 'REPLACE') throw new S3Error(400, 'InvalidRequest')
      this.#store(key, bytes)
      xml(response, `<CopyObjectResult><ETag>${etag(bytes)}</ETag></CopyObjectResult>`)
    },
    ListObjectsV2: (call) => this.#list(call),
    CreateMultipartUpload: ({ response, key }) => {
      const id = randomUUID()
      this.#uploads.set(id, { key, parts: new Map() })
      xml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
    },
    UploadPart: ({ response, query, body }) => {
      this.#upload(query).parts.set(Number(query.get('partNumber')), body)
      response.writeHead(200, { ETag: etag(body) }).end()
    },
    UploadPartCopy: ({ request, response, query }) => {
      const { bytes } = this.#source(request)
      this.#upload(query).parts.set(Number(query.get('partNumber')), bytes)
      xml(response, `<CopyPartResult><ETag>${etag(bytes)}</ETag></CopyPartResult>`)
    },
    CompleteMultipartUpload: ({ response, query, body }) => {
      const { key, parts } = this.#upload(query)
      const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) => Number(number))
      const tags = [...body.toString().matchAll(/<ETag>(.*?)<\/ETag>/g)].map(([, tag = '']) => tag.replaceAll('&quot;', '"'))
      const pieces = named.map((number, index) => {
        const piece = parts.get(number)
        if (piece === undefined || etag(piece) !== tags[index]) throw new S3Error(400, 'InvalidPart')
        if (piece.length < MIN_PART && index < named.length - 1) throw new S3Error(400, 'EntityTooSmall')
        return piece
      })
      this.#store(key, Buffer.concat(pieces))
      this.#uploads.delete(query.get('uploadId') ?? '')
      xml(response, `<CompleteMultipartUploadResult><Key>${key}</Key></CompleteMultipartUploadResult>`)
    },
    AbortMultipartUpload: ({ response, query }) => {
      this.#upload(query)
      this.#uploads.delete(query.get('uploadId') ?? '')
      response.writeHead(204).end()
    },
  }

  #list({ response, query }: Call): void {
    const prefix = query.get('prefix') ?? ''
    const delimiter = query.get('delimiter') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000)
    // One entry per object or common prefix, in the order of the keys.
    const entries = new Map<string, StoredObject | undefined>()
    for (const key of [...this.objects.keys()].sort()) {
      const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      const name = cut < 0 ? key : key.slice(0, cut + 1)
      if (key.startsWith(prefix) && name > after) entries.set(name, cut < 0 ? this.objects.get(key) : undefined)
    }
    const names = [...entries.keys()]
    const page = names.slice(0, limit)
    const isTruncated = names.length > limit
    const shown = page.map((name) => {
      const object = entries.get(name)
      if (object === undefined) return `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`
      const { bytes, modified } = object
      return `<Contents><Key>${name}</Key><Size>${bytes.length}</Size><LastModified>${modified.toISOString()}</LastModified></Contents>`
    })
    const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    xml(response, `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${shown.join('')}</ListBucketResult>`)
  }

  #store(key: string, bytes: Buffer): void {
    // Like S3's, dates have whole seconds.
    this.objects.set(key, { bytes, modified: new Date(Math.floor(Date.now() / 1000) * 1000) })
  }

  #find(key: string): StoredObject {
    const object = this.objects.get(key)
    if (object === undefined) throw new S3Error(404, 'NoSuchKey')
    return object
  }

  #source({ headers }: IncomingMessage): { from: string; bytes: Buffer } {
    const [bucket, ...rest] = decodeURIComponent(String(headers['x-amz-copy-source'])).split('/')
    if (bucket !== this.bucket) throw new S3Error(404, 'NoSuchBucket')
    const from = rest.join('/')
    const { bytes } = this.#find(from)
    const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers['x-amz-copy-source-range'] ?? ''))
    return { from, bytes: range === null ? bytes : bytes.subarray(Number(range[1]), Number(range[2]) + 1) }
  }

  #upload(query: URLSearchParams): MultipartUpload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '')
    if (upload === undefined) throw new S3Error(404, 'NoSuchUpload')
    return upload
  }
}

function operationOf({ request, key, query }: Call): string {
  if (key === '') return request.method === 'GET' && query.get('list-type') === '2' ? 'ListObjectsV2' : 'unknown'
  const isCopy = request.headers['x-amz-copy-source'] !== undefined
  switch (request.method) {
    case 'HEAD':
      return 'HeadObject'
    case 'GET':
      return 'GetObject'
    case 'PUT':
      if (query.has('uploadId')) return isCopy ? 'UploadPartCopy' : 'UploadPart'
      return isCopy ? 'CopyObject' : 'PutObject'
    case 'DELETE':
      return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject'
    case 'POST':
      return query.has('uploads') ? 'CreateMultipartUpload' : query.has('uploadId') ? 'CompleteMultipartUpload' : 'unknown'
    default:
      return 'unknown'
  }
}

function etag(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}

function xml(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
}
