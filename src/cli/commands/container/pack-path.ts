import { tarEntry, writeTar, type TarEntry, type WritableEntry } from '#archive'
import { deviceOf } from '#lib'
import { createReadStream, type BigIntStats } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

const CHUNK = 1024 * 1024

/**
 * A tar of a local file or directory, with `rootName` in place of its own name. Metadata is kept; hard links stay links; sockets are left
 * out, as by every tar.
 */
export function packPath(path: string, rootName: string): AsyncIterable<Buffer> {
  return writeTar(walk(path.replace(/\/\.?$/, '') || '/', rootName, new Map()))
}

async function* walk(path: string, name: string, seen: Map<string, string>): AsyncGenerator<WritableEntry> {
  const stat = await lstat(path, { bigint: true })
  const common = metadata(stat, name)
  if (stat.isDirectory()) {
    yield { entry: tarEntry({ ...common, type: 'directory', path: `${name}/` }) }
    for (const child of (await readdir(path)).sort()) yield* walk(join(path, child), `${name}/${child}`, seen)
  } else if (stat.isSymbolicLink()) {
    yield { entry: tarEntry({ ...common, type: 'symlink', linkPath: await readlink(path) }) }
  } else if (stat.isFile()) {
    const inode = `${stat.dev}:${stat.ino}`
    const first = seen.get(inode)
    if (first !== undefined && stat.nlink > 1n) {
      yield { entry: tarEntry({ ...common, type: 'hardlink', linkPath: first }) }
      return
    }
    seen.set(inode, name)
    yield { entry: tarEntry({ ...common, size: Number(stat.size) }), body: fileBody(path, Number(stat.size)) }
  } else if (stat.isFIFO()) {
    yield { entry: tarEntry({ ...common, type: 'fifo' }) }
  } else if (stat.isCharacterDevice() || stat.isBlockDevice()) {
    const type = stat.isBlockDevice() ? 'block' : 'character'
    yield { entry: tarEntry({ ...common, type, ...deviceOf(stat) }) }
  }
}

/** Exactly `size` bytes: a file that grows meanwhile is cut at the size its header gave. */
async function* fileBody(path: string, size: number): AsyncGenerator<Buffer> {
  if (size > 0) yield* createReadStream(path, { highWaterMark: CHUNK, end: size - 1 }) as AsyncIterable<Buffer>
}

function metadata(stat: BigIntStats, name: string): Pick<TarEntry, 'path' | 'mode' | 'uid' | 'gid' | 'mtime'> {
  return { path: name, mode: Number(stat.mode & 0o7777n), uid: Number(stat.uid), gid: Number(stat.gid), mtime: stat.mtimeNs }
}
