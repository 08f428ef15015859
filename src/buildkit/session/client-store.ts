import { randomUUID } from 'node:crypto'
import type { ClientStore } from '#build'
import { codeOf, EngineError } from '#errors'
import { content, createClient, fromGrpcError, type MessageInitShape, type Transport } from '#grpc'
import { sessionHeaders } from './session-metadata.ts'

type Write = MessageInitShape<typeof content.WriteContentRequestSchema>

/** Bytes in one message. */
const CHUNK = 1 << 20

/** A store of the client, over containerd's content service. `id`: as the client calls it (`local:/cache`). */
export function clientStore(transport: Transport, id: string): ClientStore {
  const client = createClient(content.Content, transport)
  const headers = sessionHeaders({ 'buildkit-attachable-store-id': id })

  async function info(digest: string): Promise<content.Info | undefined> {
    try {
      return (await client.info({ digest }, { headers })).info
    } catch (error) {
      const failure = fromGrpcError(error)
      if (codeOf(failure) === 'NOT_FOUND') return undefined
      throw failure
    }
  }

  return {
    async size(digest) {
      const found = await info(digest)
      return found === undefined ? undefined : Number(found.size)
    },

    async labels(digest) {
      return (await info(digest))?.labels ?? {}
    },

    async *read(digest, { signal }) {
      try {
        for await (const { data } of client.read({ digest }, { headers, signal })) if (data.length > 0) yield data
      } catch (error) {
        throw fromGrpcError(error)
      }
    },

    async write(digest, size, bytes, { signal }) {
      try {
        let committed = false
        for await (const { action } of client.write(writes(digest, size, bytes), { headers, signal })) {
          committed ||= action === content.WriteAction.COMMIT
        }
        if (!committed) throw new EngineError('DATA_LOSS', `the client ended the transfer of ${digest} too early`)
      } catch (error) {
        const failure = fromGrpcError(error)
        // It has this blob: that is all that was wanted.
        if (codeOf(failure) !== 'CONFLICT') throw failure
      }
    },
  }
}

async function* writes(digest: string, size: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Write> {
  const total = BigInt(size)
  const ref = `gantry-${digest}-${randomUUID()}`
  let offset = 0n
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; start += CHUNK) {
      const data = chunk.subarray(start, start + CHUNK)
      yield { action: content.WriteAction.WRITE, ref, total, expected: digest, offset, data }
      offset += BigInt(data.length)
    }
  }
  yield { action: content.WriteAction.COMMIT, ref, total, expected: digest, offset }
}
