import { Duplex, Readable } from 'node:stream'
import { fromGrpcError } from '#grpc'
import type { Outbox } from './outbox.ts'

export interface BytesMessage {
  data: Uint8Array
}

/** Bytes in one message. */
const CHUNK = 32 << 10

/** A connection cut into messages, put together again: what is written goes to `outgoing`, what is read comes from `messages`. */
export function messageDuplex(outgoing: Outbox<BytesMessage>, messages: AsyncIterable<BytesMessage>): Duplex {
  const incoming = messages[Symbol.asyncIterator]()
  const duplex = new Duplex({
    read() {
      incoming.next().then(
        ({ done, value }) => duplex.push(done === true ? null : value.data),
        (error: unknown) => duplex.destroy(fromGrpcError(error)),
      )
    },
    write(chunk: Buffer, _encoding, done) {
      const pushed: Promise<void>[] = []
      for (let offset = 0; offset < chunk.length; offset += CHUNK) {
        pushed.push(outgoing.push({ data: chunk.subarray(offset, offset + CHUNK) }))
      }
      void Promise.all(pushed).then(() => done())
    },
    final(done) {
      outgoing.end()
      done()
    },
    destroy(error, done) {
      outgoing.end()
      incoming.return?.().catch(() => {})
      done(error)
    },
  })
  return duplex
}

/** The bytes of messages. */
export function messageReadable(messages: AsyncIterable<BytesMessage>): Readable {
  return Readable.from(bytesOf(messages), { objectMode: false })
}

async function* bytesOf(messages: AsyncIterable<BytesMessage>): AsyncGenerator<Uint8Array> {
  try {
    for await (const { data } of messages) if (data.length > 0) yield data
  } catch (error) {
    throw fromGrpcError(error)
  }
}
