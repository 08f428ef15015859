import { chmodSync, linkSync, lstatSync, lutimesSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { create, fsutil } from '#grpc'
import { posixFileMode } from '#lib'

type Packet = fsutil.Packet
const { Packet_Type: Type } = fsutil

/** Files that are asked for at once. */
const REQUESTS_AHEAD = 64

const S_IFMT = 0o170000
const S_IFDIR = 0o040000
const S_IFREG = 0o100000
const S_IFLNK = 0o120000

/**
 * The receiver's part of a directory transfer: the result of a build, into `destination`, over what is there. Owners and devices stay away: a build's result
 * belongs to who asked for it. `isReplaced`: what was there and is not sent is deleted, once all has come. Throws Error for entries that would lead out of the directory.
 */
export async function* receiveDirectory(
  { path: destination, isReplaced = false }: { path: string; isReplaced?: boolean },
  incoming: AsyncIterable<Packet>,
): AsyncGenerator<Packet> {
  mkdirSync(destination, { recursive: true })
  const packets = incoming[Symbol.asyncIterator]()
  const next = async (): Promise<Packet> => {
    const { done, value } = await packets.next()
    if (done === true) throw new Error('the transfer of the result ended too early')
    if (value.type === Type.ERROR) throw new Error(Buffer.from(value.data).toString())
    return value
  }
  const files: WantedFile[] = []
  const links: (() => void)[] = []
  const directories = new Set([destination])
  const times: (() => void)[] = []
  const sent = new Set<string>()
  const clear = (place: string | Buffer): void => replace(place, isReplaced)
  for (let id = 0; ; id++) {
    const { type, stat } = await next()
    if (type !== Type.STAT) throw new Error('the transfer of the result is out of order')
    if (stat === undefined) break
    const path = safePath(destination, decodeName(Buffer.from(stat.path)), directories)
    const linkname = decodeName(Buffer.from(stat.linkname))
    const place = systemPath(path)
    sent.add(path)
    const mode = posixFileMode(stat.mode) ?? 0
    const seconds = Number(stat.modTime) / 1e9
    if ((mode & S_IFMT) === S_IFDIR) {
      makeDirectory(place, mode, clear)
      directories.add(path)
      times.push(() => utimesSync(place, seconds, seconds))
    } else if ((mode & S_IFMT) === S_IFLNK) {
      links.push(() => {
        clear(place)
        symlinkSync(systemPath(linkname), place)
        lutimesSync(place, seconds, seconds)
      })
    } else if ((mode & S_IFMT) === S_IFREG && linkname !== '') {
      const source = safePath(destination, linkname, directories)
      links.push(() => {
        clear(place)
        linkSync(systemPath(source), place)
      })
    } else if ((mode & S_IFMT) === S_IFREG) files.push({ id, place, stat })
  }
  for (let first = 0; first < files.length; first += REQUESTS_AHEAD) {
    const batch = files.slice(first, first + REQUESTS_AHEAD)
    for (const { id } of batch) yield create(fsutil.PacketSchema, { type: Type.REQUEST, id })
    await receiveFiles(batch, next, clear)
  }
  yield create(fsutil.PacketSchema, { type: Type.FINISH })
  // Links come last: nothing is written through them.
  for (const make of links) make()
  if (isReplaced) for (const directory of directories) deleteOthers(directory, sent)
  for (const set of times.reverse()) set()
  while ((await next()).type !== Type.FINISH);
}

interface WantedFile {
  id: number
  place: string | Buffer
  stat: fsutil.Stat
}

type Clear = (place: string | Buffer) => void

async function receiveFiles(batch: readonly WantedFile[], next: () => Promise<Packet>, clear: Clear): Promise<void> {
  const handles = new Map<number, FileHandle>()
  const wanted = new Map(batch.map((file) => [file.id, file]))
  try {
    while (wanted.size > 0) {
      const { type, id, data } = await next()
      const file = wanted.get(id)
      if (type !== Type.DATA || file === undefined) throw new Error('the transfer of the result is out of order')
      let handle = handles.get(id)
      if (handle === undefined) {
        clear(file.place)
        handle = await open(file.place, 'wx', 0o600)
        handles.set(id, handle)
      }
      if (data.length > 0) {
        await handle.writeFile(data)
        continue
      }
      const seconds = Number(file.stat.modTime) / 1e9
      await handle.chmod((posixFileMode(file.stat.mode) ?? 0o644) & 0o777)
      await handle.utimes(seconds, seconds)
      await handle.close()
      handles.delete(id)
      wanted.delete(id)
    }
  } finally {
    for (const handle of handles.values()) await handle.close()
  }
}

/** Links are deleted, not followed; the directory is one that was made or found a moment ago. */
function deleteOthers(directory: string, kept: ReadonlySet<string>): void {
  for (const name of readdirSync(systemPath(directory), { encoding: 'buffer' })) {
    const path = join(directory, decodeName(name))
    if (!kept.has(path)) rmSync(systemPath(path), { recursive: true, force: true })
  }
}

function makeDirectory(path: string | Buffer, mode: number, clear: Clear): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true) {
    clear(path)
    mkdirSync(path)
  }
  chmodSync(path, mode & 0o777)
}

/** Takes away what is there; a directory only where everything may go. */
function replace(path: string | Buffer, withDirectories: boolean): void {
  if (!withDirectories && lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new Error(`cannot replace directory ${String(path)} by a file`)
  rmSync(path, { force: true, recursive: withDirectories })
}

/**
 * Below `destination`, in one of the `directories` that were sent: all of these were made, or found to be directories, just now. Attack: a link that an earlier
 * result has left, `d -> /home/me`, then `d/.ssh/authorized_keys`.
 */
function safePath(destination: string, path: string, directories: ReadonlySet<string>): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.length === 0 || parts.includes('..')) throw new Error(`invalid path in the result: ${JSON.stringify(path)}`)
  const absolute = join(destination, ...parts)
  if (!directories.has(dirname(absolute)))
    throw new Error(`invalid path in the result: ${JSON.stringify(path)} is not inside of a directory`)
  return absolute
}
