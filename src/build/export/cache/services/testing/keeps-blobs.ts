import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { digestOf } from '#oci'
import type { Descriptor } from '#oci'
import type { CacheService } from '../types.ts'

const { signal } = new AbortController()

/** What every service has to do with layers: a small one, and one of a little more than 17 MiB, which is sent in three parts. Throws AssertionError. */
export async function keepsBlobs(service: CacheService): Promise<void> {
  for (const content of [Buffer.from('small'), randomBytes((17 << 20) + 5)]) {
    const blob = blobOf(content)
    assert.equal(await service.hasBlob(blob, signal), false)
    await service.writeBlob(blob, pieces(content), signal)
    assert.equal(await service.hasBlob(blob, signal), true)
    assert.ok(content.equals(await buffer(service.readBlob(blob, 0, signal))))
    assert.ok(content.subarray(3).equals(await buffer(service.readBlob(blob, 3, signal))))
  }
}

export function blobOf(content: Buffer): Descriptor {
  return { mediaType: 'application/octet-stream', digest: digestOf(content), size: content.length }
}

/** Content as a stream gives it: 64 KiB at a time. */
export async function* pieces(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 1 << 16) yield content.subarray(at, at + (1 << 16))
}
