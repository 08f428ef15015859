import assert from 'node:assert/strict'
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { digestOf, MEDIA_TYPES, type Digest } from '#oci'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** Whether the server asked for the body with a 100. */
  continued: boolean
}

export interface SendOptions {
  headers?: OutgoingHttpHeaders
  body?: Uint8Array | string
}

export interface Descriptor {
  mediaType: string
  digest: Digest
  size: number
}

/** A manifest of the simplest kind; with whatever members a case needs. */
export interface Image {
  config: Descriptor
  layers: Descriptor[]
  [member: string]: unknown
}

/** Every manifest type; docker-registry answers 404 for an OCI manifest to who does not name it. */
export const ACCEPT: OutgoingHttpHeaders = {
  Accept: [MEDIA_TYPES.ociManifest, MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerManifest, MEDIA_TYPES.dockerManifestList].join(', '),
}

const OCTETS = 'application/octet-stream'
let count = 0

/** Just enough of a client to put a registry into a state and to see its plain answers. */
export class RegistryClient {
  readonly base: URL

  constructor(base: string) {
    this.base = new URL(base)
  }

  /** A repository that nobody has used. */
  newName(prefix = 'conformance'): string {
    return `${prefix}/r${process.pid}-${Date.now().toString(36)}-${++count}`
  }

  async send(method: string, path: string, { headers = {}, body }: SendOptions = {}): Promise<Answer> {
    const length =
      body === undefined && ['GET', 'HEAD', 'DELETE'].includes(method) ? {} : { 'Content-Length': Buffer.byteLength(body ?? '') }
    const isChunked = 'Transfer-Encoding' in headers
    const outgoing = request(new URL(path, this.base), { method, agent: false, headers: { ...(isChunked ? {} : length), ...headers } })
    let continued = false
    const answered = new Promise<Answer>((resolve, reject) => {
      outgoing.on('response', (incoming) => {
        buffer(incoming).then(
          (bytes) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: bytes, continued }),
          reject,
        )
      })
      outgoing.on('error', reject)
    })
    if (headers['Expect'] === undefined) outgoing.end(body)
    else {
      outgoing.flushHeaders()
      outgoing.on('continue', () => {
        continued = true
        outgoing.end(body)
      })
    }
    return await answered
  }

  /** Begins an upload; gives its URL. */
  async startUpload(name: string): Promise<string> {
    const answer = await this.send('POST', `/v2/${name}/blobs/uploads/`)
    assert.equal(answer.status, 202)
    return this.location(answer)
  }

  /** `Location`, absolute. */
  location(answer: Answer): string {
    assert.ok(answer.headers.location, 'there is no Location header')
    return new URL(answer.headers.location, this.base).href
  }

  async pushBlob(name: string, content: Uint8Array | string): Promise<Descriptor> {
    const digest = digestOf(content)
    const answer = await this.finish(await this.startUpload(name), digest, content)
    assert.equal(answer.status, 201, String(answer.body))
    return { mediaType: OCTETS, digest, size: Buffer.byteLength(content) }
  }

  /** The closing PUT of an upload. */
  async finish(upload: string, digest: string, body: Uint8Array | string = ''): Promise<Answer> {
    return await this.send('PUT', withQuery(upload, { digest }), { headers: { 'Content-Type': OCTETS }, body })
  }

  async patch(upload: string, body: Uint8Array | string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return await this.send('PATCH', upload, { headers: { 'Content-Type': OCTETS, ...headers }, body })
  }

  async putManifest(
    name: string,
    reference: string,
    manifest: object | string,
    mediaType: string = MEDIA_TYPES.ociManifest,
  ): Promise<Answer> {
    const body = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
    return await this.send('PUT', `/v2/${name}/manifests/${reference}`, { headers: { 'Content-Type': mediaType }, body })
  }

  async pushManifest(
    name: string,
    reference: string,
    manifest: object | string,
    mediaType: string = MEDIA_TYPES.ociManifest,
  ): Promise<Descriptor> {
    const answer = await this.putManifest(name, reference, manifest, mediaType)
    assert.equal(answer.status, 201, String(answer.body))
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
    return { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) }
  }

  async getManifest(name: string, reference: string): Promise<Answer> {
    return await this.send('GET', `/v2/${name}/manifests/${reference}`, { headers: ACCEPT })
  }

  /** A manifest whose config and layer are in the repository. `more` are further members. */
  async prepareImage(name: string, more: object = {}): Promise<Image> {
    const config = await this.pushBlob(name, JSON.stringify({ architecture: 'amd64', os: 'linux', n: ++count }))
    const layer = await this.pushBlob(name, `layer ${count}`)
    return {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { ...config, mediaType: MEDIA_TYPES.ociConfig },
      layers: [{ ...layer, mediaType: MEDIA_TYPES.ociLayer }],
      ...more,
    }
  }

  async pushImage(name: string, tag: string, more: object = {}): Promise<Descriptor> {
    return await this.pushManifest(name, tag, await this.prepareImage(name, more))
  }
}

export function withQuery(url: string, query: Readonly<Record<string, string>>): string {
  const full = new URL(url)
  for (const [key, value] of Object.entries(query)) full.searchParams.set(key, value)
  return full.href
}

export function errorCodes(answer: Answer): string[] {
  return (JSON.parse(answer.body.toString('utf8')) as { errors: { code: string }[] }).errors.map((error) => error.code)
}

export function json(answer: Answer): any {
  return JSON.parse(answer.body.toString('utf8'))
}

/** Asserts a refusal: a status of these, and, where there is a JSON body, one of these codes. */
export function assertRefused(answer: Answer, statuses: number | readonly number[], codes: string | readonly string[]): void {
  const allowed = [statuses].flat()
  assert.ok(allowed.includes(answer.status), `status ${answer.status}, expected ${allowed.join(' or ')}: ${String(answer.body)}`)
  if (!answer.headers['content-type']?.startsWith('application/json')) return
  const wanted = [codes].flat()
  const given = errorCodes(answer)
  assert.ok(
    given.some((code) => wanted.includes(code)),
    `codes ${given.join()}, expected ${wanted.join(' or ')}`,
  )
}
