import { invalidArgument, notFound, notImplemented } from '#errors'
import { toGrpcError, type content as wire, type MessageInitShape, type ServiceImpl } from '#grpc'
import type { ContentStore } from '#content'
import { parseDigest, type Digest } from '#oci'

export type ReadableContent = Pick<ContentStore, 'size' | 'read' | 'list' | 'has'>
type Blobs = Pick<ReadableContent, 'size' | 'read' | 'has'>

/** Bytes in one message. */
const CHUNK = 1 << 20
/** Blobs in one message. */
const PAGE = 100

/** Blobs for reading: the engine's (attestations, layers of images that were built), and those of the history, which are not listed. */
export function contentService(store: ReadableContent, history: Blobs): ServiceImpl<typeof wire.Content> {
  function storeOf(digest: Digest): Blobs {
    if (history.has(digest)) return history
    // With its code, by which clients know that there is none.
    if (!store.has(digest)) throw toGrpcError(notFound(`content ${digest}: not found`))
    return store
  }
  const info = (digest: Digest): MessageInitShape<typeof wire.InfoSchema> => ({ digest, size: BigInt(storeOf(digest).size(digest)) })
  return {
    info: ({ digest }) => ({ info: info(parseDigest(digest)) }),

    async *list({ filters }) {
      if (filters.length > 0) throw notImplemented('filters of blobs are not implemented in Gantry')
      const blobs = store.list()
      for (let start = 0; start < blobs.length; start += PAGE) {
        yield { info: blobs.slice(start, start + PAGE).map(({ digest }) => info(digest)) }
      }
    },

    async *read({ digest, offset, size }) {
      const wanted = parseDigest(digest)
      const blobs = storeOf(wanted)
      const end = size === 0n ? BigInt(blobs.size(wanted)) : offset + size
      if (offset < 0n || end > BigInt(blobs.size(wanted))) throw invalidArgument(`read of ${digest} beyond its end`)
      let position = 0n
      for await (const chunk of blobs.read(wanted) as AsyncIterable<Buffer>) {
        const from = Number(offset > position ? offset - position : 0n)
        const to = Math.min(chunk.length, Number(end - position))
        for (let start = from; start < to; start += CHUNK) {
          yield { offset: position + BigInt(start), data: chunk.subarray(start, Math.min(start + CHUNK, to)) }
        }
        position += BigInt(chunk.length)
        if (position >= end) return
      }
    },

    async *write() {
      yield* []
      throw notImplemented('blobs cannot be written over this interface')
    },
  }
}
