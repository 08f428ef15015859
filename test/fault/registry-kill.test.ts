/**
 * The registry is killed with SIGKILL at random moments while clients push. After each start: no blob that is not what its name says, every image
 * whose push was answered is there with all that belongs to it, and an upload that was cut goes on where it stopped.
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf, MEDIA_TYPES } from '#oci'
import { RegistryClient, type Answer, type Descriptor } from '../conformance/distribution-spec/registry-client.ts'
import { eventually } from '../harness/eventually.ts'

const KILLS = 10
const CLIENTS = 3
/** Bytes of the upload that goes on through all the kills, and of its chunks. */
const LONG_UPLOAD = 30_000_000
const CHUNK = 2_000_000

class Server implements AsyncDisposable {
  readonly #root: string
  #process: ChildProcess | undefined
  client = new RegistryClient('http://127.0.0.1:1')

  constructor(root: string) {
    this.#root = root
  }

  async start(): Promise<void> {
    const program = join(import.meta.dirname, 'registry-process.ts')
    this.#process = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, this.#root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface(this.#process.stdout!)
    const [port] = (await once(lines, 'line')) as [string]
    this.client = new RegistryClient(`http://127.0.0.1:${port}`)
  }

  async kill(): Promise<void> {
    if (this.#process === undefined) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
    this.#process = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}

/** An image whose push was answered. */
interface Pushed {
  name: string
  tag: string
  manifest: Descriptor
  blobs: Descriptor[]
}

/** Pushes images until told to stop; what was answered is written down. */
async function pushImages(server: Server, pushed: Pushed[], number: number, going: () => boolean): Promise<void> {
  for (let turn = 0; going(); turn++) {
    const { client } = server
    const name = `team${number}/app${turn % 3}`
    try {
      const blobs = [
        await client.pushBlob(name, randomBytes(randomInt(1, 1_000_000))),
        await client.pushBlob(name, 'a layer that all images share'),
      ]
      const config = await client.pushBlob(name, JSON.stringify({ turn, number }))
      const tag = `t${number}-${turn}`
      const manifest = await client.pushManifest(name, tag, { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: blobs })
      pushed.push({ name, tag, manifest, blobs: [...blobs, config] })
    } catch {
      await sleep(20) // the server is gone; it is started again by the main loop
    }
  }
}

/** Sends one blob chunk by chunk, through all interruptions; asks the server where to go on. */
async function pushLong(server: Server, content: Buffer): Promise<void> {
  let path: string | undefined
  for (;;) {
    try {
      path ??= new URL(await server.client.startUpload('long')).pathname
      const upload = new URL(path, server.client.base).href
      const { status, headers } = await server.client.send('GET', upload)
      assert.equal(status, 204, 'the upload is not known after a restart')
      const start = sizeOf(headers.range)
      if (start >= content.length) {
        const answer = await server.client.finish(upload, digestOf(content))
        assert.equal(answer.status, 201, String(answer.body))
        return
      }
      const end = Math.min(start + CHUNK, content.length)
      const answer: Answer = await server.client.patch(upload, content.subarray(start, end), { 'Content-Range': `${start}-${end - 1}` })
      assert.equal(answer.status, 202, String(answer.body))
      await sleep(100)
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      await sleep(20)
    }
  }
}

/** The size that a Range of an upload means; `0-0` is nothing: no chunk here has one byte. */
function sizeOf(range: string | undefined): number {
  const last = Number(range?.split('-')[1])
  return last === 0 ? 0 : last + 1
}

/** `checked`: names that were looked at before. */
async function assertBlobsAreWhole(root: string, checked: Set<string>): Promise<void> {
  const blobs = join(root, 'blobs/sha256')
  for (const entry of await readdir(blobs, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || checked.has(entry.name)) continue
    assert.equal(digestOf(await readFile(join(entry.parentPath, entry.name))), `sha256:${entry.name}`)
    checked.add(entry.name)
  }
}

async function assertIsThere(client: RegistryClient, { name, tag, manifest, blobs }: Pushed): Promise<void> {
  assert.equal((await client.getManifest(name, tag)).headers['docker-content-digest'], manifest.digest, `${name}:${tag}`)
  for (const { digest, size } of blobs) {
    const { status, headers } = await client.send('HEAD', `/v2/${name}/blobs/${digest}`)
    assert.deepEqual([status, headers['content-length']], [200, String(size)], `${name}:${tag}`)
  }
}

test(
  `a registry that is killed ${KILLS} times in the middle of pushes loses nothing that it has answered`,
  { timeout: 280_000 },
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'registry-kill-'))
    await using server = new Server(root)
    await server.start()
    const pushed: Pushed[] = []
    let going = true
    const clients = Array.from({ length: CLIENTS }, (_, number) => pushImages(server, pushed, number, () => going))
    const content = randomBytes(LONG_UPLOAD)
    const long = pushLong(server, content)
    const whole = new Set<string>()
    let checked = 0
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(randomInt(100, 500))
      await server.kill()
      await assertBlobsAreWhole(root, whole)
      await server.start()
      const known = pushed.length
      for (const image of pushed.slice(checked, known)) await assertIsThere(server.client, image)
      checked = known
    }
    await eventually(() => assert.ok(pushed.length > KILLS, `${pushed.length} images were pushed`))
    going = false
    await Promise.all([...clients, long])
    for (const image of pushed) await assertIsThere(server.client, image)
    const { body } = await server.client.send('GET', `/v2/long/blobs/${digestOf(content)}`)
    assert.equal(digestOf(body), digestOf(content))
    await assertBlobsAreWhole(root, new Set())
    await server.kill()
    await rm(root, { recursive: true })
  },
)
