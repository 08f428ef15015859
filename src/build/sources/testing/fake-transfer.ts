import { constants } from 'node:fs'
import type { DirectoryTransfer, FileStat } from '../../session.ts'

/** A file of a fake client; a directory when it has neither content nor another type. */
export type FakeFile = Partial<FileStat> & { content?: string | Buffer }

export interface FakeTransfer extends DirectoryTransfer {
  /** Paths whose content was asked for. */
  readonly asked: string[]
  isClosed: boolean
}

/** Everything belongs to who runs the test. */
export function fakeStat(path: string, { content, ...members }: FakeFile): FileStat {
  const type = content === undefined ? constants.S_IFDIR : constants.S_IFREG
  return {
    path,
    mode: type | (content === undefined ? 0o755 : 0o644),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    size: content?.length ?? 0,
    mtime: 1_000_000_000_123_456_789n,
    linkname: '',
    device: { major: 0, minor: 0 },
    xattrs: {},
    ...members,
  }
}

/** What a client would send of these files, in the order given. `breakAt`: reading this path fails in the middle. */
export function fakeTransfer(files: Record<string, FakeFile>, breakAt?: string): FakeTransfer {
  const paths = Object.keys(files)
  return {
    asked: [],
    isClosed: false,
    async *entries() {
      for (const [path, file] of Object.entries(files)) yield fakeStat(path, file)
    },
    async *read(index) {
      const path = paths[index] ?? ''
      this.asked.push(path)
      const content = Buffer.from(files[path]?.content ?? '')
      yield content.subarray(0, 3)
      if (path === breakAt) throw new Error('the client has gone')
      if (content.length > 3) yield content.subarray(3)
    },
    async [Symbol.asyncDispose]() {
      this.isClosed = true
    },
  }
}
