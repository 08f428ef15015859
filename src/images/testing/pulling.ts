import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { digestOf, parseReference } from '#oci'
import type { Digest } from '#oci'
import type { ProgressMessage, PullOptions } from '../types.ts'
import { imagesUnderTest } from './images-under-test.ts'
import type { ImagesUnderTest } from './images-under-test.ts'
import { makeConfig, makeLayer } from './make-archive.ts'

/** Layers of the image that tests pull. */
export const BASE: Buffer = await makeLayer('base', 'base')
export const TOP: Buffer = await makeLayer('top', 'top!')
export const CONFIG: Buffer = makeConfig([BASE, TOP])
export const ID: Digest = digestOf(CONFIG)
export const BLOBS: [Buffer, Buffer] = [gzipSync(BASE), gzipSync(TOP)]
/** What messages call its layers. */
export const BASE_NAME: string = nameOf(digestOf(BLOBS[0]))
export const TOP_NAME: string = nameOf(digestOf(BLOBS[1]))
export const NAME = 'registry:5000/app:1'

export function nameOf(digest: Digest): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12)
}

/** A registry with one image under NAME. */
export function withImage(): ImagesUnderTest {
  const test = imagesUnderTest()
  test.registry.tag(NAME, test.registry.addImage(CONFIG, BLOBS))
  return test
}

/** Pulls, and gives what the user saw: `id: status`. */
export async function pull(test: ImagesUnderTest, name: string = NAME, options: Partial<PullOptions> = {}): Promise<string[]> {
  const lines: string[] = []
  const report = ({ id, status }: ProgressMessage): void => void lines.push(id === undefined ? `${status}` : `${id}: ${status}`)
  await test.images.pull({ reference: parseReference(name), report, ...options })
  return lines
}

/** What the user saw of one layer. */
export function linesOf(lines: readonly string[], id: string): string[] {
  return lines.filter((line) => line.startsWith(`${id}: `)).map((line) => line.slice(id.length + 2))
}

export function blobRequests(test: ImagesUnderTest): string[] {
  return test.registry.requests.filter((request) => request.startsWith('GET blob'))
}

/** What no image needs is collected in the background. */
export async function becomesEmpty(test: ImagesUnderTest): Promise<void> {
  for (let i = 0; i < 100 && test.content.list().length > 0; i++) await sleep(5)
  assert.deepEqual(test.content.list(), [])
  assert.equal(test.snapshotter.findLayer(digestOf(BASE)), undefined)
  assert.equal(test.snapshotter.findLayer(digestOf(TOP)), undefined)
  assert.deepEqual(test.images.list({ all: true, filters: { reference: [], label: [], labelNot: [] } }), [])
}
