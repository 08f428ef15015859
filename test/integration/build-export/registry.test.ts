/** Pushes and caches with Debian's docker-registry. Needs root. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { createCachePlaces } from '../../../src/build/export/cache/cache-places.ts'
import type { Step } from '../../../src/build/types.ts'
import { parseReference } from '#oci'
import { DockerRegistry, dockerRegistryMissing } from '../../harness/index.ts'
import { mustSkopeo } from '../../harness/skopeo.ts'
import { unshared } from '../unshared.ts'
import { keyOf, openWorld, resultOf, writeTree } from './world.ts'
import type { ExportWorld } from './world.ts'

const skip = dockerRegistryMissing()
const NOTHING = { images: [], multiPlatform: false, metadata: {} }

async function twoLayers(world: ExportWorld): Promise<`sha256:${string}`> {
  const lower = await world.step('lower', undefined, (root) => writeTree(root))
  return await world.step('upper', lower, (root) => writeFileSync(`${root}/made`, 'made'))
}

unshared(import.meta.filename, () => {
  before(() => void spawnSync('ip', ['link', 'set', 'lo', 'up']))

  describe('push of a build', { skip }, () => {
    it('logs in as the client, and gives the registry the image with its provenance', async () => {
      await using registry = await DockerRegistry.start({ users: { me: 'secret' } })
      await using world = await openWorld()
      using home = mkdtempDisposableSync(join(tmpdir(), 'build-export-'))
      world.session.logins.set(registry.domain, { username: 'me', password: 'secret' })
      const name = `${registry.domain}/app:1`
      const options = { 'attest:provenance': 'mode=max,inline-only=true' }
      const answers = await world.export('image', { name, push: 'true' }, resultOf(await twoLayers(world)), options)
      const tls = ['--tls-verify=false', '--creds', 'me:secret']
      const raw = JSON.parse(mustSkopeo(home.path, 'inspect', ...tls, '--raw', `docker://${name}`)) as {
        manifests: { platform: { os: string } }[]
      }
      assert.deepEqual(
        raw.manifests.map(({ platform }) => platform.os),
        ['linux', 'unknown'],
      )
      const inspected = JSON.parse(mustSkopeo(home.path, 'inspect', ...tls, `docker://${name}`)) as { Digest: string; Layers: string[] }
      assert.equal(inspected.Digest, answers['containerimage.digest'])
      assert.equal(inspected.Layers.length, 2)
      assert.deepEqual(world.images.get(name).repoDigests, [`${registry.domain}/app@${answers['containerimage.digest']}`])
    })

    it('is pushed again by docker push with the same digest', async () => {
      await using registry = await DockerRegistry.start()
      await using world = await openWorld()
      const name = `${registry.domain}/app:1`
      const answers = await world.export('moby', { name, push: 'true' }, resultOf(await twoLayers(world)))
      const digests: unknown[] = []
      const report = ({ aux }: { aux?: unknown }): void => void (aux !== undefined && digests.push((aux as { Digest: string }).Digest))
      await world.images.push({ reference: parseReference(name), report })
      assert.deepEqual(digests, [answers['containerimage.digest']])
    })

    it('says which name could not be pushed', async () => {
      await using registry = await DockerRegistry.start({ users: { me: 'secret' } })
      await using world = await openWorld()
      const name = `${registry.domain}/app:1`
      await assert.rejects(
        world.export('moby', { name, push: 'true' }, resultOf(await twoLayers(world))),
        /failed to push 127.0.0.1:\d+\/app:1: /,
      )
    })
  })

  describe('registry cache', { skip }, () => {
    for (const form of [{}, { 'image-manifest': 'false' }, { compression: 'zstd' }]) {
      it(`spares another engine the steps: ${JSON.stringify(form)}`, async () => {
        await using registry = await DockerRegistry.start()
        await using first = await openWorld()
        await using second = await openWorld()
        await twoLayers(first)
        const ref = `${registry.domain}/cache:1`
        await createCachePlaces(first.deps)
          .prepare({ type: 'registry', attributes: { ref, mode: 'max', ...form } })
          .export(NOTHING, first.context())
        const cache = await createCachePlaces(second.deps).open({ type: 'registry', attributes: { ref } }, second.context())
        const found = cache.find(keyOf('upper'))
        assert.ok(found !== undefined)
        const step = { lease: second.lease, signal: new AbortController().signal, status: () => {} } as Partial<Step> as Step
        const { chain } = await cache.fetch(found.layers, step)
        assert.ok(chain !== undefined)
        using view = second.storage.snapshotter.view({ chain })
        assert.equal(readFileSync(`${view.path}/made`, 'utf8'), 'made')
        assert.equal(readFileSync(`${view.path}/a/b`, 'utf8'), 'below')
        assert.equal(statSync(`${view.path}/etc/name`).uid, 12)
      })
    }
  })
})
