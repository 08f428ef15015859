/**
 * Archives made to do harm, through every door: loaded, imported, pulled, sent into a container. Each is refused with an error for its sender, or taken
 * with nothing touched outside; either way nothing is left behind. Needs root.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { checkStore, pull, startRegistryFixture, type RegistryFixture } from '../../fault/registry-fixture.ts'
import { uploadImage, type SmallImage } from '../../fault/small-image.ts'
import type { Engine } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'
import { listTree } from '../storage/tree-listing.ts'
import { HOSTILE_ARCHIVES, type Fate } from './hostile-archives.ts'

let fixture: RegistryFixture
let engine: Engine
let canary: string
let before_: string[]

before(async () => {
  canary = mkdtempSync(join(tmpdir(), 'canary-'))
  writeFileSync(join(canary, 'file'), 'untouched')
  mkdirSync(join(canary, 'directory'))
  before_ = listTree(canary)
  fixture = await startRegistryFixture()
  ;({ engine } = fixture)
  engine.loadStarter()
})
after(async () => {
  rmSync(canary, { recursive: true })
  await fixture[Symbol.asyncDispose]()
})

const sha256 = (bytes: Buffer): `sha256:${string}` => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** The image of one layer, as a registry has it. */
function imageOf(layer: Buffer): SmallImage & { diffId: string } {
  const blob = gzipSync(layer)
  const rootfs = { type: 'layers', diff_ids: [sha256(layer)] }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }))
  const type = 'application/vnd.docker'
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${type}.distribution.manifest.v2+json`,
      config: { mediaType: `${type}.container.image.v1+json`, digest: sha256(config), size: config.length },
      layers: [{ mediaType: `${type}.image.rootfs.diff.tar.gzip`, digest: sha256(blob), size: blob.length }],
    }),
  )
  return {
    manifest,
    digest: sha256(manifest),
    config: { bytes: config, digest: sha256(config) },
    layers: [{ bytes: blob, digest: sha256(blob) }],
    diffId: sha256(layer),
  }
}

/** What a door answers: the error, or undefined. Our fault (5xx) is a failure of the test. */
type Door = (archive: Buffer) => Promise<string | undefined>

const load: Door = async (layer) => {
  const { config } = imageOf(layer)
  const name = `${config.digest.slice(7)}.json`
  const manifest = [{ Config: name, RepoTags: ['hostile:load'], Layers: ['layer.tar'] }]
  const entries = [
    { name, data: config.bytes },
    { name: 'layer.tar', data: layer },
    { name: 'manifest.json', data: Buffer.from(JSON.stringify(manifest)) },
  ]
  return errorOf(await engine.request('POST', '/images/load', tar(entries), { 'Content-Type': 'application/x-tar' }))
}
const importIt: Door = async (layer) =>
  errorOf(await engine.request('POST', '/images/create?fromSrc=-&repo=hostile&tag=import', layer, { 'Content-Type': 'application/x-tar' }))
let count = 0
const pullIt: Door = async (layer) => {
  const repository = `hostile/image-${++count}`
  await uploadImage(fixture.registry.domain, repository, imageOf(layer))
  const error = await pull(engine, fixture.plain.domain, repository)
  if (error === undefined) await engine.request('DELETE', `/images/${fixture.plain.domain}/${repository}:1`)
  return error
}
const put: Door = async (archive) =>
  errorOf(await engine.request('PUT', '/containers/target/archive?path=/etc', archive, { 'Content-Type': 'application/x-tar' }))

function errorOf({ status, text }: { status: number; text: string }): string | undefined {
  assert.ok(status < 500, `${status} ${text}`)
  if (status >= 400) return text
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => JSON.parse(line).error).find((error) => error !== undefined)
}

function assertFate(fate: Fate, error: string | undefined, door: string): void {
  assert.equal(error === undefined ? 'taken' : 'refused', fate, `${door}: ${error}`)
  // A message of ours, not of the machine's inside.
  assert.doesNotMatch(error ?? '', /\/proc\/self|ERR_|undefined|\bat .*\.ts/, door)
  assert.deepEqual(listTree(canary), before_, `${door}: the canary was touched`)
}

describe('a hostile archive', { timeout: 240_000 }, () => {
  for (const { name, entries, layer, put: sent } of HOSTILE_ARCHIVES) {
    it(`with ${name} touches nothing outside`, async () => {
      const archive = tar(entries(canary))
      for (const [door, go] of Object.entries({ load, import: importIt, pull: pullIt })) {
        assertFate(layer, await go(archive), door)
        // What was taken is on the disk as it is in the archive, and nothing else.
        if (door === 'import') await checkStore(engine)
        for (const tag of ['load', 'import']) await engine.request('DELETE', `/images/hostile:${tag}`)
      }
      await engine.request('DELETE', '/containers/target')
      await engine.request('POST', '/containers/create?name=target', { Image: 'starter' })
      assertFate(sent, await put(archive), 'put')
    })
  }

  const DEEP = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  const CONFIG = JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } })
  const DOCUMENTS: [name: string, files: Record<string, string>][] = [
    ['a list of images nested too deeply', { 'manifest.json': DEEP }],
    [
      'an index nested too deeply',
      { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}', 'index.json': `{"schemaVersion":2,"manifests":${DEEP}}` },
    ],
    [
      'a config nested too deeply',
      { 'manifest.json': '[{"Config":"c.json","Layers":[]}]', 'c.json': CONFIG.replace('{', `{"x":${DEEP},`) },
    ],
    ['a list of images that is too large', { 'manifest.json': `[${'{"Config":"c.json","Layers":[]},'.repeat(400_000)}{}]` }],
    [
      'a config that is too large',
      { 'manifest.json': '[{"Config":"c.json","Layers":[]}]', 'c.json': CONFIG.replace('{', `{"x":"${'x'.repeat(20_000_000)}",`) },
    ],
    ['a config that is not there', { 'manifest.json': '[{"Config":"../../../etc/passwd","Layers":[]}]' }],
    ['a layer outside', { 'manifest.json': '[{"Config":"c.json","Layers":["../../../../etc/passwd"]}]', 'c.json': CONFIG }],
    ['a name that is none', { 'manifest.json': '[{"Config":"c.json","RepoTags":["../x:y"],"Layers":[]}]', 'c.json': CONFIG }],
  ]
  for (const [name, files] of DOCUMENTS) {
    it(`with ${name} is refused by load`, async () => {
      const entries = Object.entries(files).map(([path, text]) => ({ name: path, data: Buffer.from(text) }))
      const reply = await engine.request('POST', '/images/load', tar(entries), { 'Content-Type': 'application/x-tar' })
      assertFate('refused', errorOf(reply), 'load')
    })
  }

  it('leaves nothing behind, and the store whole', async () => {
    await engine.request('DELETE', '/containers/target')
    await checkStore(engine)
    assert.deepEqual(engine.mustDocker('images', '-a', '--format', '{{.Repository}}'), 'starter')
    assert.deepEqual(readdirSync(join(engine.dataRoot, 'content/ingest')), [])
  })
})
