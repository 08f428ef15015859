import type { FileStat } from '#build'
import { EngineError, invalidArgument } from '#errors'
import { filesync, fromGrpcError, fsutil, type MessageInitShape, type Transport } from '#grpc'
import { toStat } from './file-stat.ts'
import { Outbox } from './outbox.ts'

type PacketInit = MessageInitShape<typeof fsutil.PacketSchema>
const { Packet_Type: Type } = fsutil

const S_IFMT = 0o170000
const S_IFREG = 0o100000
/** Bytes of a file in one packet. */
const CHUNK = 1 << 20

export interface OutgoingDirectory {
  entries: AsyncIterable<FileStat>
  read: (path: string) => AsyncIterable<Uint8Array>
  headers: Record<string, string>
  signal: AbortSignal
}

/**
 * A tree to the client, as fsutil's sender. Resolves when the client has all of it. The service is declared for files in chunks; that packets go through it
 * instead is known by who opened the target. Source: tonistiigi/fsutil send.go, moby/buildkit session/filesync.
 */
export async function sendDirectory(transport: Transport, { entries, read, headers, signal }: OutgoingDirectory): Promise<void> {
  const requests = new Outbox<number>()
  const method = { ...filesync.FileSend.method.diffCopy, input: fsutil.PacketSchema, output: fsutil.PacketSchema }
  try {
    const { message } = await transport.stream(method, signal, undefined, headers, packets(entries, read, requests))
    let finished = false
    for await (const { type, id, data } of message) {
      if (type === Type.REQUEST) void requests.push(id)
      else if (type === Type.ERROR) throw new EngineError('INTERNAL', Buffer.from(data).toString())
      else if (type === Type.FINISH) {
        finished = true
        requests.end()
      } else throw invalidArgument('the client sent a packet out of order')
    }
    if (!finished) throw new EngineError('DATA_LOSS', 'the client ended the transfer of a directory too early')
  } catch (error) {
    throw fromGrpcError(error)
  } finally {
    requests.end()
  }
}

async function* packets(
  entries: AsyncIterable<FileStat>,
  read: (path: string) => AsyncIterable<Uint8Array>,
  requests: AsyncIterable<number>,
): AsyncGenerator<PacketInit> {
  const files: (string | undefined)[] = []
  for await (const entry of entries) {
    files.push((entry.mode & S_IFMT) === S_IFREG && entry.linkname === '' ? entry.path : undefined)
    yield { type: Type.STAT, stat: toStat(entry) }
  }
  yield { type: Type.STAT }
  for await (const id of requests) {
    const path = files[id]
    if (path === undefined) throw invalidArgument(`the client asked for the content of entry ${id}, which has none`)
    for await (const chunk of read(path)) {
      for (let offset = 0; offset < chunk.length; offset += CHUNK) {
        yield { type: Type.DATA, id, data: chunk.subarray(offset, offset + CHUNK) }
      }
    }
    yield { type: Type.DATA, id }
  }
  yield { type: Type.FINISH }
}
