/** skopeo and buildah, which know nothing of us, bring images to the registry and take them from it; the digests tell whether a byte has changed. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { digestOf } from '#oci'
import { createRegistry, openFileStorage, type RequestReport } from '#registry'
import { DockerRegistry, dockerRegistryMissing } from '../../harness/index.ts'
import { readBlobs, writeTwoPlatforms } from './two-platforms.ts'

const run = promisify(execFile)
const isInstalled = (program: string): boolean => spawnSync(program, ['--version']).status === 0

interface Setting extends AsyncDisposable {
  /** Empty, for whatever the test writes. */
  directory: string
  /** `127.0.0.1:PORT`. */
  host: string
  reports: RequestReport[]
}

async function setUp(): Promise<Setting> {
  const directory = await mkdtemp(join(tmpdir(), 'registry-skopeo-'))
  const reports: RequestReport[] = []
  const storage = await openFileStorage({ root: join(directory, 'registry'), sync: false })
  const registry = createRegistry({ storage, observer: { started() {}, finished: (report) => void reports.push(report) } })
  const { port } = await registry.listen({ host: '127.0.0.1', port: 0 })
  return {
    directory,
    host: `127.0.0.1:${port}`,
    reports,
    async [Symbol.asyncDispose]() {
      await registry.close({ grace: 100 })
      await rm(directory, { recursive: true })
    },
  }
}

async function skopeo(...parameters: string[]): Promise<string> {
  const { stdout } = await run('skopeo', ['--insecure-policy', ...parameters])
  return stdout
}

const copy = (...parameters: string[]): Promise<string> =>
  skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...parameters)

/** The digest of what a name points to, from the raw bytes. */
const rawDigest = async (image: string): Promise<string> =>
  digestOf(await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${image}`))

const LAYERS = [Buffer.alloc(1024), randomBytes(3_000_000)]

describe('skopeo', { skip: isInstalled('skopeo') ? false : 'skopeo is not installed' }, () => {
  it('copies an image of two platforms in and out, and not a byte changes', async () => {
    await using test = await setUp()
    const digest = writeTwoPlatforms(join(test.directory, 'in'), LAYERS)
    await copy('--all', `oci:${test.directory}/in:v1`, `docker://${test.host}/team/app:v1`)
    assert.equal(await rawDigest(`${test.host}/team/app:v1`), digest)
    await copy('--all', `docker://${test.host}/team/app@${digest}`, `oci:${test.directory}/out:v1`)
    assert.deepEqual(await readBlobs(join(test.directory, 'out')), await readBlobs(join(test.directory, 'in')))
  })

  it('copies one platform, compressed on the way, and takes what it brought', async () => {
    await using test = await setUp()
    writeTwoPlatforms(join(test.directory, 'in'), LAYERS)
    const digestFile = join(test.directory, 'digest')
    const format = ['--override-arch', 'arm64', '--dest-compress', '--digestfile', digestFile]
    await copy(...format, `oci:${test.directory}/in:v1`, `docker://${test.host}/team/app:arm`)
    const digest = await readFile(digestFile, 'utf8')
    assert.equal(await rawDigest(`${test.host}/team/app:arm`), digest)
    await copy(`docker://${test.host}/team/app:arm`, `docker-archive:${test.directory}/out.tar:app:arm`)
    await copy(`docker-archive:${test.directory}/out.tar`, `docker://${test.host}/team/again:arm`)
  })

  it('mounts blobs that another repository has instead of sending them', async () => {
    await using test = await setUp()
    writeTwoPlatforms(join(test.directory, 'in'), LAYERS)
    await copy('--all', `oci:${test.directory}/in:v1`, `docker://${test.host}/first:v1`)
    test.reports.length = 0
    await copy('--all', `docker://${test.host}/first:v1`, `docker://${test.host}/second:v1`)
    assert.ok(test.reports.some(({ path, status }) => path.includes('mount=') && status === 201))
    const sent = test.reports.filter(({ method }) => method === 'PATCH').reduce((sum, { received }) => sum + received, 0)
    assert.ok(sent < 10_000, `${sent} bytes were sent`)
    assert.equal(await rawDigest(`${test.host}/second:v1`), await rawDigest(`${test.host}/first:v1`))
  })

  it('lists tags and deletes', async () => {
    await using test = await setUp()
    writeTwoPlatforms(join(test.directory, 'in'), LAYERS)
    for (const tag of ['v1', 'v2', 'latest']) await copy('--all', `oci:${test.directory}/in:v1`, `docker://${test.host}/team/app:${tag}`)
    const tags = async (): Promise<string[]> =>
      (JSON.parse(await skopeo('list-tags', '--tls-verify=false', `docker://${test.host}/team/app`)) as { Tags: string[] }).Tags
    assert.deepEqual(await tags(), ['latest', 'v1', 'v2'])
    await skopeo('delete', '--tls-verify=false', `docker://${test.host}/team/app:v1`)
    assert.deepEqual(await tags(), [])
  })

  it('carries an image to docker-registry and back, and not a byte changes', { skip: dockerRegistryMissing() }, async () => {
    await using test = await setUp()
    await using other = await DockerRegistry.start()
    const digest = writeTwoPlatforms(join(test.directory, 'in'), LAYERS)
    await copy('--all', `oci:${test.directory}/in:v1`, `docker://${test.host}/a:v1`)
    await copy('--all', `docker://${test.host}/a:v1`, `docker://${other.domain}/b:v1`)
    await copy('--all', `docker://${other.domain}/b:v1`, `docker://${test.host}/c:v1`)
    assert.equal(await rawDigest(`${test.host}/c:v1`), digest)
  })
})

describe('buildah', { skip: isInstalled('buildah') ? false : 'buildah is not installed' }, () => {
  it('pushes an image that it made, and pulls it', async () => {
    await using test = await setUp()
    const storage = ['--root', join(test.directory, 'b'), '--runroot', join(test.directory, 'r'), '--storage-driver', 'vfs']
    const buildah = async (...parameters: string[]): Promise<string> => (await run('buildah', [...storage, ...parameters])).stdout.trim()
    const container = await buildah('from', 'scratch')
    await buildah('add', container, import.meta.filename, '/etc/file')
    const image = await buildah('commit', '--quiet', container)
    await buildah('push', '--quiet', '--tls-verify=false', image, `docker://${test.host}/built:v1`)
    await buildah('rmi', '--all', '--force')
    const pulled = await buildah('pull', '--quiet', '--tls-verify=false', `docker://${test.host}/built:v1`)
    assert.equal(pulled, image)
  })
})
