import { readTar, type TarEntry } from '#archive'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
  lutimesSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'

/**
 * Unpacks an archive that came from a container below `directory`. With `rename`, the root entry takes another name.
 *
 * The archive is not to be trusted: the program in the container may have made it. No entry is written outside `directory`, neither by `..`
 * nor by an absolute path, nor through a symbolic link that an earlier entry created. Owners are not restored: files belong to whoever
 * copies. Throws Error.
 */
export async function extractTar(
  source: AsyncIterable<Buffer>,
  directory: string,
  rename: { from: string; to: string } | undefined,
): Promise<void> {
  const links = new Set<string>()
  /** Directories get their times last: every file put into one changes them. */
  const directories: [string, TarEntry][] = []
  for await (const { entry, body } of readTar(source)) {
    const path = renamed(entry.path, rename)
    const target = safeTarget(directory, path, links)
    if (target === undefined) continue
    const existing = lstatSync(target, { throwIfNoEntry: false })
    if (existing?.isDirectory() === true && entry.type !== 'directory') {
      throw new Error(`cannot overwrite directory ${JSON.stringify(target)} with non-directory ${JSON.stringify(directory)}`)
    }
    if (existing !== undefined && !existing.isDirectory()) {
      if (entry.type === 'directory')
        throw new Error(`cannot overwrite non-directory ${JSON.stringify(target)} with directory ${JSON.stringify(directory)}`)
      rmSync(target)
    }
    mkdirSync(dirname(target), { recursive: true })
    switch (entry.type) {
      case 'directory':
        mkdirSync(target, { recursive: true })
        directories.push([target, entry])
        continue
      case 'symlink':
        symlinkSync(entry.linkPath, target)
        links.add(target)
        lutimesSync(target, seconds(entry), seconds(entry))
        continue
      case 'hardlink': {
        const original = safeTarget(directory, renamed(entry.linkPath, rename), links)
        if (original === undefined) throw new Error(`invalid hardlink ${JSON.stringify(entry.path)} -> ${JSON.stringify(entry.linkPath)}`)
        linkSync(original, target)
        continue
      }
      case 'file':
        await writeFile(target, entry, body)
        continue
      default:
        throw new Error(`cannot create ${entry.path}: copying ${entry.type} files is not supported`)
    }
  }
  for (const [path, entry] of directories.reverse()) {
    chmodSync(path, entry.mode & 0o7777)
    utimesSync(path, seconds(entry), seconds(entry))
  }
}

async function writeFile(target: string, entry: TarEntry, body: AsyncIterable<Buffer>): Promise<void> {
  // 'wx' refuses to follow a link that appears in this moment.
  const fd = openSync(target, 'wx', 0o600)
  try {
    for await (const chunk of body) {
      for (let rest: Uint8Array = chunk; rest.length > 0;) rest = rest.subarray(writeSync(fd, rest))
    }
  } finally {
    closeSync(fd)
  }
  chmodSync(target, entry.mode & 0o7777)
  utimesSync(target, seconds(entry), seconds(entry))
}

/** The path of an entry with its root renamed; `from` is how the daemon calls the root. */
function renamed(path: string, rename: { from: string; to: string } | undefined): string {
  if (rename === undefined) return path
  const [root = '', ...rest] = path.replace(/^\/+/, '').split('/')
  return root === rename.from ? [rename.to, ...rest].join('/') : path
}

/** Where an entry goes; undefined for the root itself. Throws Error for one that would leave the directory. */
function safeTarget(directory: string, path: string, links: ReadonlySet<string>): string | undefined {
  const clean = posix.normalize(path).replace(/\/+$/, '')
  if (clean === '.' || clean === '') return undefined
  const parts = clean.replace(/^\/+/, '').split('/')
  if (parts.includes('..')) throw new Error(`${JSON.stringify(path)} is outside of ${JSON.stringify(directory)}`)
  let parent = directory
  for (const part of parts.slice(0, -1)) {
    parent = join(parent, part)
    if (links.has(parent)) throw new Error(`${JSON.stringify(path)} is outside of ${JSON.stringify(directory)}`)
  }
  return join(parent, parts.at(-1) ?? '')
}

function seconds(entry: TarEntry): number {
  return Number(entry.mtime) / 1e9
}
