import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { digestOf, parseReference } from '#oci'
import { makeConfig, makeLayer } from '../testing/make-archive.ts'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import type { ProgressMessage, PullOptions } from '../types.ts'

const BASE = await makeLayer('base', 'base')
const TOP = await makeLayer('top', 'top!')
const CONFIG = makeConfig([BASE, TOP])
const ID = digestOf(CONFIG)
const BLOBS = [gzipSync(BASE), gzipSync(TOP)]
const NAME = 'registry:5000/app:1'

/** Pulls, and gives what the user saw: `id: status`. */
async function pull(test: ImagesUnderTest, name: string = NAME, options: Partial<PullOptions> = {}): Promise<string[]> {
  const lines: string[] = []
  const report = ({ id, status }: ProgressMessage): void => void lines.push(id === undefined ? `${status}` : `${id}: ${status}`)
  await test.images.pull({ reference: parseReference(name), report, ...options })
  return lines
}

describe('pull', () => {
  it("downloads, unpacks and names an image, in Docker's words", async () => {
    using test = imagesUnderTest()
    const manifest = test.registry.addImage(CONFIG, BLOBS)
    test.registry.tag(NAME, manifest)
    const lines = await pull(test)
    const [base = '', top = ''] = BLOBS.map((blob) => digestOf(blob).slice(7, 19))
    assert.deepEqual(lines.slice(0, 3), ['1: Pulling from app', `${base}: Pulling fs layer`, `${top}: Pulling fs layer`])
    for (const id of [base, top]) {
      assert.deepEqual(
        lines.filter((line) => line.startsWith(id)).map((line) => line.slice(id.length + 2)),
        ['Pulling fs layer', 'Downloading', 'Verifying Checksum', 'Download complete', 'Pull complete'],
      )
    }
    assert.deepEqual(lines.slice(-2), [`Digest: ${manifest.digest}`, `Status: Downloaded newer image for ${NAME}`])
    const image = test.images.get(NAME)
    assert.deepEqual([image.id, image.repoTags, image.repoDigests], [ID, [NAME], [`registry:5000/app@${manifest.digest}`]])
    assert.deepEqual(test.events, ['pull registry:5000/app'])
  })
})
