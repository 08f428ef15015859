/** Archives that exporters write, read by programs of others. Needs root; skopeo and umoci where they are installed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { mustSkopeo } from '../../harness/skopeo.ts'
import { unshared } from '../unshared.ts'
import { imageOf, openWorld, resultOf, writeTree } from './world.ts'
import type { ExportWorld } from './world.ts'

function missing(program: string): string | false {
  return spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed`
}

async function twoLayers(world: ExportWorld): Promise<`sha256:${string}`> {
  const lower = await world.step('COPY . .', undefined, (root) => writeTree(root))
  return await world.step('RUN make', lower, (root) => writeFileSync(`${root}/made`, 'made'))
}

async function received(world: ExportWorld): Promise<Buffer> {
  const file = world.session.received.at(-1)
  assert.ok(file !== undefined)
  return await file.content
}

interface Inspected {
  Layers: string[]
}

unshared(import.meta.filename, () => {
  describe('oci exporter', () => {
    for (const [compression, type] of [
      ['gzip', 'application/vnd.oci.image.layer.v1.tar+gzip'],
      ['uncompressed', 'application/vnd.oci.image.layer.v1.tar'],
      ['zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
    ] as const) {
      it(
        `writes an archive that skopeo reads and umoci unpacks: ${compression}`,
        { skip: missing('skopeo') || missing('umoci') },
        async () => {
          await using world = await openWorld()
          using directory = mkdtempDisposableSync(join(tmpdir(), 'build-export-'))
          await world.export('oci', { name: 'app:1', compression }, resultOf(await twoLayers(world)))
          const file = join(directory.path, 'app.tar')
          writeFileSync(file, await received(world))
          const raw = JSON.parse(mustSkopeo(directory.path, 'inspect', '--raw', `oci-archive:${file}`)) as {
            layers: { mediaType: string }[]
          }
          assert.deepEqual(
            raw.layers.map(({ mediaType }) => mediaType),
            [type, type],
          )
          if (compression === 'zstd') return // umoci 0.4 does not know it
          const layout = join(directory.path, 'layout')
          mustSkopeo(directory.path, 'copy', `oci-archive:${file}`, `oci:${layout}:1`)
          const bundle = join(directory.path, 'bundle')
          const unpacked = spawnSync('umoci', ['unpack', '--image', `${layout}:1`, bundle], { encoding: 'utf8' })
          assert.equal(unpacked.status, 0, unpacked.stderr)
          assert.equal(readFileSync(join(bundle, 'rootfs/made'), 'utf8'), 'made')
          assert.equal(readFileSync(join(bundle, 'rootfs/etc/name'), 'utf8'), 'value')
        },
      )
    }

    it('writes what our own load takes, with all platforms', async () => {
      await using world = await openWorld()
      const chain = await twoLayers(world)
      const other = { os: 'linux', architecture: 's390x' }
      const images = [imageOf(chain, { id: 'linux/s390x', platform: other }), imageOf(chain, { id: 'linux/amd64' })]
      const answers = await world.export('oci', { name: 'app:1' }, { images, multiPlatform: true, metadata: {} })
      await using target = await openWorld()
      const archive = Readable.from([await received(world)], { objectMode: false })
      await target.images.load(archive, { quiet: true, report: () => {} })
      const image = target.images.get('app:1')
      assert.equal(image.descriptor?.digest, answers['containerimage.digest'])
      assert.equal((await target.images.resolve('app:1', 'linux/s390x')).config.architecture, 's390x')
    })

    it('gives a client that wants a directory the blobs alone', async () => {
      await using world = await openWorld()
      const answers = await world.export('oci', { tar: 'false' }, resultOf(await twoLayers(world)))
      const store = world.session.stores.get('export')!
      assert.ok(store.has(answers['containerimage.digest']!))
      assert.equal(store.size, 4) // two layers, config, manifest
      assert.equal(world.session.received.length, 0)
    })
  })

  describe('docker exporter', () => {
    it('writes an archive that skopeo takes for one of docker save', { skip: missing('skopeo') }, async () => {
      await using world = await openWorld()
      using directory = mkdtempDisposableSync(join(tmpdir(), 'build-export-'))
      mkdirSync(directory.path, { recursive: true })
      await world.export('docker', { name: 'app:1' }, resultOf(await twoLayers(world)))
      const file = join(directory.path, 'app.tar')
      writeFileSync(file, await received(world))
      const inspected = JSON.parse(mustSkopeo(directory.path, 'inspect', `docker-archive:${file}`)) as Inspected
      assert.equal(inspected.Layers.length, 2)
    })

    it('refuses several platforms', async () => {
      await using world = await openWorld()
      const result = { ...resultOf(await twoLayers(world)), multiPlatform: true }
      await assert.rejects(world.export('docker', {}, result), /docker exporter does not currently support exporting manifest lists/)
    })
  })
})
