import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { ClientStore } from '../../session.ts'
import { layoutOrigin } from './layout-origin.ts'

const BYTES = Buffer.from('0123456789')
const DIGEST = digestOf(BYTES)

function storeOf(blobs: Record<string, Uint8Array[]>): ClientStore {
  const absent = async (): Promise<never> => assert.fail('is not written to')
  return {
    size: async (digest) => blobs[digest]?.reduce((sum, { length }) => sum + length, 0),
    async *read(digest) {
      yield* blobs[digest] ?? []
    },
    write: absent,
    labels: absent,
  }
}

describe('layoutOrigin', () => {
  it('gives documents by digest only', async () => {
    const origin = layoutOrigin(storeOf({ [DIGEST]: [BYTES] }))
    const descriptor = { mediaType: '', digest: DIGEST, size: 10 }
    assert.deepEqual(await origin.fetchManifest({ digest: DIGEST }), { descriptor, bytes: BYTES })
    assert.deepEqual(await origin.resolve({ digest: DIGEST }), descriptor)
    await assert.rejects(origin.fetchManifest({ tag: '1' }), { code: 'INVALID_ARGUMENT' })
    await assert.rejects(origin.fetchManifest({ digest: digestOf(Buffer.from('x')) }), { code: 'NOT_FOUND' })
  })

  it('refuses documents that are too large', async () => {
    const origin = layoutOrigin(storeOf({ [DIGEST]: Array.from({ length: 5 }, () => Buffer.alloc(1 << 20)) }))
    await assert.rejects(origin.fetchManifest({ digest: DIGEST }), { code: 'INVALID_ARGUMENT', message: /larger than the limit/ })
  })

  it('gives blobs from any byte on', async () => {
    const origin = layoutOrigin(storeOf({ [DIGEST]: [BYTES.subarray(0, 4), BYTES.subarray(4)] }))
    for (const offset of [0, 2, 4, 7, 10]) {
      const chunks = await Array.fromAsync(origin.fetchBlob({ digest: DIGEST, size: 10 }, { offset }))
      assert.equal(Buffer.concat(chunks).toString(), '0123456789'.slice(offset))
    }
  })
})
