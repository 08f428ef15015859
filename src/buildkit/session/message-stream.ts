import { Duplex, Readable } from 'node:stream'
import { fromGrpcError } from '#grpc'
import { Outbox } from './outbox.ts'

interface BytesMessage {
  data: Uint8Array
}

/** Bytes in one message. */
const CHUNK = 32 << 10

/** A connection cut into messages, put together again. `call` gets what is written and gives what is read. */
export function messageDuplex(call: (outgoing: AsyncIterable<BytesMessage>) => AsyncIterable<BytesMessage>): Duplex {
  const outgoing = new Outbox<BytesMessage>()
  const incoming = call(outgoing)[Symbol.asyncIterator]()
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
