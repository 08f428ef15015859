import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeImage, IMAGE_ID } from '../testing/fake-services.ts'
import type { ApiVersion, ImageInspect } from '#api'
import type { Image } from '#images'
import { encodeImageInspect, encodeImageSummary } from './image.ts'

const inspectImage = (image: Image, version: ApiVersion): ImageInspect =>
  encodeImageInspect(image, version, () => ['/layers/2/diff', '/layers/1/diff'])

const COUNTS = { containers: 2, sharedSize: 5 }

test('image list follows the version', () => {
  const recent = encodeImageSummary(fakeImage(), 55, COUNTS)
  assert.equal(recent.Containers, 2)
  assert.equal(recent.Created, 1_767_225_600)
  assert.equal(recent.VirtualSize, undefined)
  const old = encodeImageSummary(fakeImage(), 43, COUNTS)
  assert.equal(old.Containers, -1)
  assert.equal(old.VirtualSize, 4_000_000)
})

test('an image without names has <none> before 1.43 and empty lists since', () => {
  const dangling = fakeImage({ repoTags: [] })
  assert.deepEqual(encodeImageSummary(dangling, 42, COUNTS).RepoTags, ['<none>:<none>'])
  assert.deepEqual(encodeImageSummary(dangling, 42, COUNTS).RepoDigests, ['<none>@<none>'])
  assert.deepEqual(encodeImageSummary(dangling, 43, COUNTS).RepoTags, [])
})

test('image inspect loses fields with the versions', () => {
  const keys = (version: number): string[] => Object.keys(inspectImage(fakeImage(), version))
  assert.ok(keys(43).includes('VirtualSize') && !keys(44).includes('VirtualSize'))
  assert.ok(keys(44).includes('ContainerConfig') && !keys(45).includes('ContainerConfig'))
  assert.ok(keys(51).includes('GraphDriver') && !keys(52).includes('GraphDriver'))
  assert.ok(keys(51).includes('Author') && !keys(52).includes('Author'))
})

test('image config shows what belongs to containers before 1.50, nulls before 1.52, and what is set since', () => {
  const config = (version: number): unknown => inspectImage(fakeImage(), version).Config
  assert.deepEqual(config(52), { Env: ['PATH=/bin'], Cmd: ['sh'] })
  assert.deepEqual(config(51), {
    Env: ['PATH=/bin'],
    Cmd: ['sh'],
    Entrypoint: null,
    Labels: null,
    OnBuild: null,
    User: '',
    Volumes: null,
    WorkingDir: '',
  })
  assert.equal((config(49) as Record<string, unknown>)['Hostname'], '')
})

test('image inspect shows ids, layers and the time of the last tag', () => {
  const inspect = inspectImage(fakeImage({ lastTagged: 0 }), 55)
  assert.equal(inspect.Id, IMAGE_ID)
  assert.deepEqual(inspect.RootFS, { Type: 'layers', Layers: [`sha256:${'e5'.repeat(32)}`] })
  assert.equal(inspect.Metadata.LastTagTime, '0001-01-01T00:00:00Z')
})

test('image inspect shows where the layers lie before 1.52', () => {
  const graphDriver = (paths: string[]): unknown => encodeImageInspect(fakeImage(), 51, () => paths).GraphDriver
  assert.deepEqual(graphDriver(['/3', '/2', '/1']), { Name: 'overlay2', Data: { LowerDir: '/2:/1', UpperDir: '/3' } })
  assert.deepEqual(graphDriver(['/1']), { Name: 'overlay2', Data: { UpperDir: '/1' } })
  assert.deepEqual(graphDriver([]), { Name: 'overlay2', Data: null })
})
