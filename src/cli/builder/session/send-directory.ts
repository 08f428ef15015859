import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { encodeName, systemPath } from '#archive'
import { create, fsutil } from '#grpc'
import { deviceOf, goFileMode } from '#lib'
import { MessageQueue } from '../message-queue.ts'
import { walkDirectory, type WalkedEntry, type WalkFilter } from './walk-directory.ts'

/** Bytes of a file in one message. */
const CHUNK = 256 * 1024

type Packet = fsutil.Packet
const { Packet_Type: Type } = fsutil

/**
 * The sender's part of a directory transfer: all entries first, then the files that are asked for. Owners are 0: whose files they are on this machine is
 * nobody's business. Source: tonistiigi/fsutil send.go.
 */
export async function* sendDirectory(root: string, filter: WalkFilter, incoming: AsyncIterable<Packet>): AsyncGenerator<Packet> {
  const files: (WalkedEntry | undefined)[] = []
  const requests = readRequests(incoming)
  for (const entry of walkDirectory(root, filter)) {
    files.push(entry.stat.isFile() && entry.linkname === '' ? entry : undefined)
    yield packet(Type.STAT, { stat: statOf(entry) })
  }
  yield packet(Type.STAT, {})
  for await (const request of requests) {
    const entry = files[request]
    if (entry === undefined) throw new Error(`invalid file request ${request}`)
    yield* fileContent(systemPath(join(root, entry.path)), request)
  }
  yield packet(Type.FINISH, {})
}

/** By synchronous calls: a context is thousands of small files, and four ways to a thread and back for each take longer than all else. */
function* fileContent(path: string | Buffer, id: number): Generator<Packet> {
  const fd = openSync(path, 'r')
  try {
    // A byte more than there should be: a buffer that is not filled tells the end without another read.
    const length = Math.min(CHUNK, fstatSync(fd).size + 1)
    for (let count = length; count === length;) {
      const buffer = Buffer.allocUnsafe(length)
      count = readSync(fd, buffer)
      if (count > 0) yield packet(Type.DATA, { id, data: buffer.subarray(0, count) })
    }
  } finally {
    closeSync(fd)
  }
  yield packet(Type.DATA, { id })
}

/** Requests come while entries are still being sent: they are taken off at once, and answered in order. */
function readRequests(incoming: AsyncIterable<Packet>): AsyncIterable<number> {
  const requests = new MessageQueue<number>()
  const read = async (): Promise<void> => {
    for await (const { type, id, data } of incoming) {
      if (type === Type.ERROR) throw new Error(Buffer.from(data).toString())
      if (type === Type.FINISH) break
      if (type === Type.REQUEST) requests.push(id)
    }
  }
  read().then(
    () => requests.end(),
    (error: unknown) => requests.end(error),
  )
  return requests
}

function packet(type: fsutil.Packet_Type, fields: Partial<Pick<Packet, 'stat' | 'id' | 'data'>>): Packet {
  return create(fsutil.PacketSchema, { type, ...fields })
}

function statOf({ path, stat, linkname }: WalkedEntry): fsutil.Stat {
  const { major, minor } = stat.isBlockDevice() || stat.isCharacterDevice() ? deviceOf(stat) : { major: 0, minor: 0 }
  return create(fsutil.StatSchema, {
    path: encodeName(path),
    mode: goFileMode(Number(stat.mode)),
    size: stat.isFile() ? stat.size : 0n,
    modTime: stat.mtimeNs,
    linkname: encodeName(linkname),
    devmajor: BigInt(major),
    devminor: BigInt(minor),
  })
}
