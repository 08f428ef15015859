import { Writable } from 'node:stream'
import { createClient, filesync, fromGrpcError, type Transport } from '#grpc'
import { Outbox } from './outbox.ts'

/** Bytes in one message; as BuildKit's. */
const CHUNK = 3 << 20

/** One file to the client: `finish` when it has all of it. */
export function sendFile(transport: Transport, headers: Record<string, string>, signal: AbortSignal): Writable {
  const chunks = new Outbox<{ data: Uint8Array }>()
  const call = createClient(filesync.FileSend, transport).diffCopy(chunks, { headers, signal })
  const ended = (async () => {
    for await (const _ of call);
  })()
  const file = new Writable({
    highWaterMark: CHUNK,
    write(chunk: Buffer, _encoding, done) {
      const pushed: Promise<void>[] = []
      for (let offset = 0; offset < chunk.length; offset += CHUNK)
        pushed.push(chunks.push({ data: chunk.subarray(offset, offset + CHUNK) }))
      void Promise.all(pushed).then(() => done())
    },
    final(done) {
      chunks.end()
      ended.then(
        () => done(),
        (error: unknown) => done(fromGrpcError(error)),
      )
    },
    destroy(error, done) {
      chunks.end()
      done(error)
    },
  })
  // A client that refuses, or goes, must stop who writes.
  ended.catch((error: unknown) => file.destroy(fromGrpcError(error)))
  return file
}
