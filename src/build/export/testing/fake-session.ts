import { PassThrough } from 'node:stream'
import type { Duplex, Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { notFound } from '#errors'
import type { Credentials } from '#remotes'
import type { BuildSession, ClientStore, DirectoryTransfer, ExportTarget, FileStat } from '../../session.ts'

/** What a client received of a directory. */
export interface ReceivedTree {
  target: ExportTarget
  entries: FileStat[]
  files: Map<string, Buffer>
}

/** A client that takes whatever an exporter sends. */
export class FakeSession implements BuildSession {
  readonly id = 'session-1'
  readonly sharedKey = ''
  readonly closed: AbortSignal = new AbortController().signal
  readonly logins: Map<string, Credentials> = new Map()
  readonly received: { target: ExportTarget; content: Promise<Buffer> }[] = []
  readonly trees: ReceivedTree[] = []
  /** Store id → digest → blob. */
  readonly stores: Map<string, Map<string, Buffer>> = new Map()

  async directory(): Promise<DirectoryTransfer> {
    throw notFound('no such directory')
  }
  async secret(): Promise<undefined> {}
  async checkAgent(): Promise<void> {
    throw notFound('no such agent')
  }
  async forwardAgent(): Promise<Duplex> {
    throw notFound('no such agent')
  }
  async credentials(host: string): Promise<Credentials | undefined> {
    return this.logins.get(host)
  }
  async upload(): Promise<Readable> {
    throw notFound('nothing to upload')
  }
  async sendFile(target: ExportTarget): Promise<Writable> {
    const stream = new PassThrough()
    this.received.push({ target, content: buffer(stream) })
    return stream
  }
  async sendDirectory(
    target: ExportTarget,
    entries: AsyncIterable<FileStat>,
    read: (path: string) => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const tree: ReceivedTree = { target, entries: [], files: new Map() }
    for await (const entry of entries) tree.entries.push(entry)
    const isFile = ({ mode, linkname }: FileStat): boolean => (mode & 0o170000) === 0o100000 && linkname === ''
    for (const { path } of tree.entries.filter(isFile)) {
      const chunks: Uint8Array[] = []
      for await (const chunk of read(path)) chunks.push(chunk)
      tree.files.set(path, Buffer.concat(chunks))
    }
    this.trees.push(tree)
  }
  store(id: string): ClientStore {
    const blobs = this.stores.get(id) ?? new Map<string, Buffer>()
    this.stores.set(id, blobs)
    return {
      size: async (digest) => blobs.get(digest)?.length,
      async *read(digest) {
        const blob = blobs.get(digest)
        if (blob === undefined) throw notFound(`content ${digest}: not found`)
        yield blob
      },
      async write(digest, _size, content) {
        const chunks: Uint8Array[] = []
        for await (const chunk of content) chunks.push(chunk)
        blobs.set(digest, Buffer.concat(chunks))
      },
      labels: async () => ({}),
    }
  }
}
