import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ImageManifestSummary, ImageSummary } from '#api'
import { imageTree } from './image-tree.ts'

const digest = (pair: string): string => `sha256:${pair.repeat(32)}`

function manifest(pair: string, architecture: string, containers: string[] = []): ImageManifestSummary {
  return {
    ID: digest(pair),
    Descriptor: { mediaType: '', digest: digest(pair), size: 1 },
    Available: true,
    Size: { Content: 1000, Total: 3000 },
    Kind: 'image',
    ImageData: { Platform: { os: 'linux', architecture }, Containers: containers, Size: { Unpacked: 2000 } },
  }
}

function image(tags: string[], created: number, manifests: ImageManifestSummary[]): ImageSummary {
  return {
    Id: digest('aa'),
    ParentId: '',
    RepoTags: tags,
    RepoDigests: [],
    Created: created,
    Size: 5000,
    SharedSize: -1,
    Labels: null,
    Containers: -1,
    Manifests: manifests,
  }
}

/** Without colours, warning, legend and heading. */
function lines(images: ImageSummary[], all = false): string[] {
  const text = imageTree(images, { isTerminal: false, size: () => undefined }, { all })
  return text.split('\n').slice(4)
}

it('imageTree lists platforms below their image, newest image first, and marks what containers use', () => {
  const old = image(['old:1'], 1, [manifest('bb', 'amd64')])
  const fresh = image(['other/name:1', 'new:1'], 2, [manifest('cc', 'amd64', ['id']), manifest('dd', 'arm64')])
  assert.deepEqual(lines([old, fresh]), [
    'other/name:1',
    'new:1                aaaaaaaaaaaa          5kB            2kB   U    ',
    '├─ linux/amd64       cccccccccccc          3kB            1kB   U    ',
    '└─ linux/arm64       dddddddddddd          3kB            1kB        ',
    '',
    'old:1                aaaaaaaaaaaa          5kB            1kB        ',
    '└─ linux/amd64       bbbbbbbbbbbb          3kB            1kB        ',
    '',
    '',
  ])
})

it('imageTree shows images without a name only on request', () => {
  assert.deepEqual(lines([image([], 1, [])]), [''])
  assert.match(lines([image([], 1, [])], true)[0] ?? '', /^<unt… {3}aaaaaaaaaaaa/)
})

it('imageTree leaves columns out on narrow terminals', () => {
  const text = imageTree([image(['a:1'], 1, [])], { isTerminal: true, size: () => [24, 40] }, { all: false })
  assert.match(text, /DISK USAGE/)
  assert.doesNotMatch(text, /CONTENT SIZE|EXTRA/)
})
