import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as send, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { before, describe, it } from 'node:test'
import { digestOf, MEDIA_TYPES } from '#oci'
import { DockerRegistry } from '../../harness/docker-registry.ts'
import { OciLayout } from '../../harness/oci-layout.ts'
import { RegistryProgram } from '../../harness/registry-program.ts'
import { mustSkopeo, skopeoMeanwhile } from '../../harness/skopeo.ts'
import { unshared } from '../unshared.ts'

const CACHE = '127.0.0.1:5000'
const LAYER = randomBytes(6 << 20)

/** Stands before the upstream: counts what is asked, and can stop in the middle or be broken. */
class Wire implements AsyncDisposable {
  readonly requests: string[] = []
  isDown = false
  /** What is waited for behind the first megabytes of a body. */
  gate: Promise<void> | undefined
  readonly #server: Server

  constructor(upstream: string) {
    const [host = '', port = ''] = upstream.split(':')
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url?.replace(/^\/v2\/[a-z/]*\/(manifests|blobs)\//, '$1 ')}`)
      if (this.isDown) return void request.socket.destroy()
      const options = { host, port, method: request.method ?? '', path: request.url ?? '', headers: request.headers }
      const onward = send(options, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        void (async () => {
          let passed = 0
          for await (const chunk of answer as AsyncIterable<Buffer>) {
            response.write(chunk)
            passed += chunk.length
            if (passed > LAYER.length / 2) await this.gate
          }
          response.end()
        })().catch(() => response.destroy())
      })
      onward.on('error', () => response.destroy())
      request.pipe(onward)
    })
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  count(pattern: RegExp): number {
    return this.requests.filter((line) => pattern.test(line)).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await this.#server[Symbol.asyncDispose]()
  }
}

interface Cached {
  upstream: DockerRegistry
  wire: Wire
  cache: RegistryProgram
  /** Brings an image with one large layer to the upstream. */
  publish: (tag: string, content?: Buffer) => void
}

async function withCache(work: (parts: Cached) => Promise<void>): Promise<void> {
  await using upstream = await DockerRegistry.start()
  await using wire = new Wire(upstream.domain)
  const remoteurl = await wire.listen()
  await using cache = await RegistryProgram.start(() => ({ http: { addr: ':5000' }, proxy: { remoteurl } }))
  const publish = (tag: string, content: Buffer = LAYER): void => {
    const layout = new OciLayout(`${cache.directory}/layout-${randomBytes(4).toString('hex')}`)
    layout.name('image', layout.addImage([{ tar: content, bytes: content, type: 'tar' }]))
    mustSkopeo(
      cache.directory,
      'copy',
      '--preserve-digests',
      '--dest-tls-verify=false',
      `oci:${layout.directory}:image`,
      `docker://${upstream.domain}/${tag}`,
    )
  }
  await work({ upstream, wire, cache, publish })
}

async function digestAt(home: string, place: string): Promise<string> {
  const { status, stdout, stderr } = await skopeoMeanwhile(home, 'inspect', '--tls-verify=false', `docker://${place}`)
  assert.equal(status, 0, stderr)
  return (JSON.parse(stdout) as { Digest: string }).Digest
}

async function pull(cache: RegistryProgram, name: string): Promise<void> {
  const target = `dir:${cache.directory}/pulled`
  const { status, stderr } = await skopeoMeanwhile(cache.directory, 'copy', '--src-tls-verify=false', `docker://${CACHE}/${name}`, target)
  assert.equal(status, 0, stderr)
}

unshared(import.meta.filename, () => {
  describe('gantry registry as a pull-through cache of docker-registry', () => {
    before(() => void execFileSync('ip', ['link', 'set', 'lo', 'up']))

    it('fetches what is missing once, and asks about tags only from then on', () =>
      withCache(async ({ upstream, wire, cache, publish }) => {
        publish('team/app:1')
        await pull(cache, 'team/app:1')
        assert.equal(wire.count(/^GET blobs/), 2)
        assert.equal(
          await digestAt(cache.directory, `${CACHE}/team/app:1`),
          await digestAt(cache.directory, `${upstream.domain}/team/app:1`),
        )
        wire.requests.length = 0
        await pull(cache, 'team/app:1')
        assert.deepEqual(wire.requests, ['HEAD manifests 1'])
        publish('team/app:1', Buffer.from('another layer'))
        assert.equal(
          await digestAt(cache.directory, `${CACHE}/team/app:1`),
          await digestAt(cache.directory, `${upstream.domain}/team/app:1`),
        )
      }))

    it('downloads a blob once for many clients, and gives them its bytes while they come', () =>
      withCache(async ({ wire, publish }) => {
        publish('app:1')
        assert.equal((await fetch(`http://${CACHE}/v2/app/manifests/1`)).status, 200)
        // The second half does not come until all clients have some of the first.
        const { promise: allHaveBegun, resolve } = Promise.withResolvers<void>()
        wire.gate = allHaveBegun
        let begun = 0
        const clients = Array.from({ length: 5 }, async () => {
          const response = await fetch(`http://${CACHE}/v2/app/blobs/${digestOf(LAYER)}`)
          assert.equal(response.status, 200)
          const chunks: Uint8Array[] = []
          for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
            if (chunks.length === 0 && ++begun === 5) resolve()
            chunks.push(chunk)
          }
          return digestOf(Buffer.concat(chunks))
        })
        const range = fetch(`http://${CACHE}/v2/app/blobs/${digestOf(LAYER)}`, { headers: { Range: 'bytes=3000000-3000099' } })
        for (const digest of await Promise.all(clients)) assert.equal(digest, digestOf(LAYER))
        assert.deepEqual(Buffer.from(await (await range).arrayBuffer()), LAYER.subarray(3_000_000, 3_000_100))
        assert.equal(wire.count(/^GET blobs/), 1)
      }))

    it('serves what it has while the upstream is down, and nothing else', () =>
      withCache(async ({ wire, cache, publish }) => {
        publish('app:1')
        publish('app:2', Buffer.from('never pulled'))
        await pull(cache, 'app:1')
        wire.isDown = true
        await pull(cache, 'app:1')
        const missing = await fetch(`http://${CACHE}/v2/app/manifests/2`)
        assert.ok(missing.status >= 500, `status ${missing.status}`)
        assert.match(cache.log, /the copy here is served/)
      }))

    it('lists what speaks of a manifest by the tag schema of an upstream that knows no referrers', () =>
      withCache(async ({ upstream, wire, cache, publish }) => {
        publish('app:1')
        const manifest = await fetch(`http://${upstream.domain}/v2/app/manifests/1`, { headers: { Accept: MEDIA_TYPES.ociManifest } })
        const bytes = Buffer.from(await manifest.arrayBuffer())
        const subject = digestOf('what the signature is of')
        const signature = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length, artifactType: 'a/signature' }
        const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [signature] }
        const put = await fetch(`http://${upstream.domain}/v2/app/manifests/${subject.replace(':', '-')}`, {
          method: 'PUT',
          body: JSON.stringify(index),
          headers: { 'Content-Type': MEDIA_TYPES.ociIndex },
        })
        assert.equal(put.status, 201, await put.text())
        const listed = async (): Promise<unknown> => (await fetch(`http://${CACHE}/v2/app/referrers/${subject}`)).json()
        assert.deepEqual(await listed(), index)
        wire.isDown = true
        assert.deepEqual(await listed(), { ...index, manifests: [] })
        assert.match(cache.log, /what is here is listed/)
      }))

    it('is not a cache of what broke: the next client gets it whole', () =>
      withCache(async ({ wire, cache, publish }) => {
        publish('app:1')
        assert.equal((await fetch(`http://${CACHE}/v2/app/manifests/1`)).status, 200)
        const { promise: killed, resolve } = Promise.withResolvers<void>()
        wire.gate = killed
        const cancel = new AbortController()
        const response = await fetch(`http://${CACHE}/v2/app/blobs/${digestOf(LAYER)}`, { signal: cancel.signal })
        assert.equal(response.status, 200)
        await response.body?.getReader().read()
        assert.equal(await cache.stop('SIGKILL'), null)
        cancel.abort()
        resolve()
        await cache.start()
        await pull(cache, 'app:1')
        assert.equal(cache.collect().status, 0)
      }))

    it('takes no pushes, and does not know what the upstream does not know', () =>
      withCache(async ({ cache, publish }) => {
        publish('app:1')
        const push = await fetch(`http://${CACHE}/v2/app/blobs/uploads/`, { method: 'POST' })
        assert.equal(push.status, 405)
        assert.match(await push.text(), /UNSUPPORTED/)
        for (const path of [
          'app/manifests/none',
          'none/manifests/1',
          `app/blobs/${digestOf('none')}`,
          `app/manifests/${digestOf('none')}`,
        ]) {
          assert.equal((await fetch(`http://${CACHE}/v2/${path}`)).status, 404, path)
        }
        assert.doesNotMatch(cache.log, /failed/)
      }))
  })
})
