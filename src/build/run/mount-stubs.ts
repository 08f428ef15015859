import { chmodSync, chownSync, closeSync, constants, existsSync, fstatSync, mkdirSync, writeFileSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { dirname, join } from 'node:path'
import { resolveLinks } from '#containers'
import type { Files } from '#kernel'
import { O_PATH } from '#snapshots'

/** Something to be mounted on a path inside the root file system. */
export interface MountTarget {
  /** Absolute; links in it are followed inside the root. */
  path: string
  kind: 'directory' | 'tmpfs' | 'file'
}

/** A tmpfs takes over the mode of what it covers; where nothing was it is open to everyone, as the kernel makes it. */
const MODES = { directory: 0o755, tmpfs: 0o1777, file: 0o644 } as const

/** Mounted over in every container: what lies below them is not the root file system's. */
const SYSTEM_MOUNTS = ['/dev', '/proc', '/sys']

/**
 * Makes the mount points that a root file system lacks in `directory`, which does not exist yet, to be put as a layer between the root file system and what
 * the step writes: so the step's own layer never gets them, nor new times of the directories that they are in. Directories on the way that the root
 * has are repeated with their owner, mode and times, as the layer's are the ones that are seen. Answers whether any was needed.
 *
 * `rootFd`: the root file system, as it was before the step. What lies below another target, or is something else than it should be, is the launch's affair.
 */
export function makeStubs(files: Files, rootFd: number, targets: readonly MountTarget[], directory: string): boolean {
  const resolved = targets.map(({ path, kind }) => ({ path: resolveLinks(files, rootFd, path), kind }))
  const covers = [...SYSTEM_MOUNTS, ...resolved.flatMap(({ path, kind }) => (kind === 'file' ? [] : [path]))]
  const missing = resolved.filter(({ path }) => !covers.some((cover) => path.startsWith(`${cover}/`)) && !exists(files, rootFd, path))
  if (missing.length === 0) return false
  mkdirSync(directory, { mode: 0o755 })
  repeatDirectory(files, rootFd, '/', directory)
  for (const { path, kind } of missing) makeStub(files, rootFd, directory, path, kind)
  return true
}

function makeStub(files: Files, rootFd: number, directory: string, path: string, kind: MountTarget['kind']): void {
  const names = path.split('/').filter((name) => name !== '')
  for (let depth = 1; depth < names.length; depth++) {
    const parent = `/${names.slice(0, depth).join('/')}`
    const place = join(directory, parent)
    if (existsSync(place)) continue
    using found = openNode(files, rootFd, parent)
    // A file in the way: the launch says so in its own words.
    if (found !== undefined && !found.stat.isDirectory()) return
    mkdirSync(place, { mode: 0o755 })
    repeatDirectory(files, rootFd, parent, place)
  }
  const place = join(directory, path)
  if (existsSync(place)) return
  if (kind === 'file') writeFileSync(place, '')
  else mkdirSync(place)
  chmodSync(place, MODES[kind])
  // Making it has changed its parent's time.
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    repeatDirectory(files, rootFd, parent, join(directory, parent))
    if (parent === '/') break
  }
}

/** Gives `place` what the root file system's directory of that path has; one that it has not stays as it is. */
function repeatDirectory(files: Files, rootFd: number, path: string, place: string): void {
  using found = openNode(files, rootFd, path)
  if (found === undefined) return
  chownSync(place, Number(found.stat.uid), Number(found.stat.gid))
  chmodSync(place, Number(found.stat.mode) & 0o7777)
  // Behind the magic link, whose own attributes they would be else.
  const directory = `/proc/self/fd/${found.fd}/.`
  for (const name of files.listXattr(directory)) {
    const value = name.startsWith('trusted.overlay.') ? undefined : files.getXattr(directory, name)
    if (value !== undefined) files.setXattr(place, name, value)
  }
  files.setTimes(place, found.stat.atimeNs, found.stat.mtimeNs)
}

function exists(files: Files, rootFd: number, path: string): boolean {
  using found = openNode(files, rootFd, path)
  return found !== undefined
}

/** The node itself, or undefined when there is none. */
function openNode(files: Files, rootFd: number, path: string): (Disposable & { fd: number; stat: BigIntStats }) | undefined {
  let fd: number
  try {
    fd = files.openInRoot(rootFd, path, O_PATH | constants.O_NOFOLLOW)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  return { fd, stat: fstatSync(fd, { bigint: true }), [Symbol.dispose]: () => closeSync(fd) }
}
