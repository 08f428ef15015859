import type { DirectoryTransfer, FileStat, SyncRequest } from '#build'
import { EngineError, invalidArgument } from '#errors'
import { createClient, filesync, fromGrpcError, fsutil, type MessageInitShape, type Transport } from '#grpc'
import { fromStat } from './file-stat.ts'
import { Outbox } from './outbox.ts'
import { sessionHeaders } from './session-metadata.ts'

type Packet = fsutil.Packet
type PacketInit = MessageInitShape<typeof fsutil.PacketSchema>
const { Packet_Type: Type } = fsutil

/** Bytes that files may have waiting before nothing more is read. */
const MAX_WAITING = 32 << 20
/** Milliseconds for the client's farewell. */
const FAREWELL = 2000

/**
 * A directory of the client on its way here, as fsutil's receiver. Throws what the client says: NOT_FOUND when it has no directory of this name.
 * Source: tonistiigi/fsutil receive.go.
 */
export async function receiveDirectory(transport: Transport, request: SyncRequest): Promise<DirectoryTransfer> {
  const transfer = new IncomingDirectory(transport, request)
  try {
    await transfer.open()
    return transfer
  } catch (error) {
    await transfer[Symbol.asyncDispose]()
    throw error
  }
}

/** A file that somebody reads. */
interface WaitingFile {
  chunks: Uint8Array[]
  ended: boolean
  failure?: unknown
  wake: () => void
}

class IncomingDirectory implements DirectoryTransfer {
  readonly #requests = new Outbox<PacketInit>()
  readonly #abort = new AbortController()
  readonly #packets: AsyncIterator<Packet>
  readonly #files = new Map<number, WaitingFile>()
  #first: Packet | undefined
  #complete = false
  #waiting = 0
  #drained = (): void => {}
  #pumping = false

  constructor(transport: Transport, request: SyncRequest) {
    const headers = sessionHeaders({
      'dir-name': request.name,
      'include-patterns': request.includePatterns,
      'exclude-patterns': request.excludePatterns,
      followpaths: request.followPaths,
    })
    const signal = AbortSignal.any([request.signal, this.#abort.signal])
    this.#packets = createClient(filesync.FileSync, transport).diffCopy(this.#requests, { headers, signal })[Symbol.asyncIterator]()
  }

  async open(): Promise<void> {
    this.#first = await this.#next()
  }

  async *entries(): AsyncGenerator<FileStat> {
    for (;;) {
      const packet = this.#first ?? (await this.#next())
      this.#first = undefined
      if (packet.type !== Type.STAT) throw invalidArgument('the client sent a packet out of order')
      if (packet.stat === undefined) break
      yield fromStat(packet.stat)
    }
    this.#complete = true
  }

  async *read(index: number): AsyncGenerator<Uint8Array> {
    if (!this.#complete) throw new EngineError('INTERNAL', 'Cannot read a file: the entries have not ended')
    const file: WaitingFile = { chunks: [], ended: false, wake: () => {} }
    this.#files.set(index, file)
    void this.#requests.push({ type: Type.REQUEST, id: index })
    void this.#pump()
    try {
      for (;;) {
        const chunk = file.chunks.shift()
        if (chunk !== undefined) {
          this.#take(chunk.length)
          yield chunk
        } else if (file.failure !== undefined) throw file.failure
        else if (file.ended) return
        else
          await new Promise<void>((resolve) => {
            file.wake = resolve
          })
      }
    } finally {
      this.#files.delete(index)
      for (const { length } of file.chunks.splice(0)) this.#take(length)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#complete && this.#files.size === 0 && !this.#pumping) {
      void this.#requests.push({ type: Type.FINISH })
      await Promise.race([this.#farewell(), new Promise((resolve) => setTimeout(resolve, FAREWELL).unref())]).catch(() => {})
    }
    this.#requests.end()
    this.#abort.abort()
  }

  /** The client answers our FINISH with one of its own, after which it ends the call. */
  async #farewell(): Promise<void> {
    while ((await this.#next()).type !== Type.FINISH);
  }

  /** Hands out what comes, as long as somebody waits for something. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#files.size > 0) {
        if (this.#waiting > MAX_WAITING) {
          await new Promise<void>((resolve) => {
            this.#drained = resolve
          })
        }
        this.#deliver(await this.#next())
      }
    } catch (error) {
      for (const file of this.#files.values()) {
        file.failure = error
        file.wake()
      }
    } finally {
      this.#pumping = false
    }
  }

  #deliver({ type, id, data }: Packet): void {
    if (type !== Type.DATA) throw invalidArgument('the client sent a packet out of order')
    const file = this.#files.get(id)
    // Nobody reads it any more.
    if (file === undefined) return
    if (data.length === 0) {
      file.ended = true
      // The pump goes on only for those that are still coming.
      this.#files.delete(id)
    } else {
      file.chunks.push(data)
      this.#waiting += data.length
    }
    file.wake()
  }

  #take(length: number): void {
    this.#waiting -= length
    if (this.#waiting <= MAX_WAITING) this.#drained()
  }

  async #next(): Promise<Packet> {
    const { done, value } = await this.#packets.next().catch((error: unknown) => {
      throw fromGrpcError(error)
    })
    if (done === true) throw new EngineError('DATA_LOSS', 'the client ended the transfer of a directory too early')
    if (value.type === Type.ERROR) throw new EngineError('INTERNAL', Buffer.from(value.data).toString())
    return value
  }
}
