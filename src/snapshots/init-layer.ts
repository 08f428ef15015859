import { closeSync, constants, lstatSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Files } from '#kernel'
import { O_PATH } from './tree/descriptor-path.ts'
import { OPAQUE_XATTR } from './tree/whiteout.ts'

/**
 * Mount points that every container needs, and the file by which programs see that they are in a container.
 * Source: moby daemon/initlayer/setup_unix.go.
 */
const MOUNT_POINTS: readonly (readonly [path: string, type: 'directory' | 'file' | `-> ${string}`])[] = [
  ['dev/pts', 'directory'],
  ['dev/shm', 'directory'],
  ['proc', 'directory'],
  ['sys', 'directory'],
  ['.dockerenv', 'file'],
  ['etc/resolv.conf', 'file'],
  ['etc/hosts', 'file'],
  ['etc/hostname', 'file'],
  ['dev/console', 'file'],
  ['etc/mtab', '-> /proc/mounts'],
]

/** `dev`, `etc` … */
const TOP_NAMES: readonly string[] = [...new Set(MOUNT_POINTS.map(([path]) => path.split('/')[0] ?? ''))]

/**
 * Makes the mount points in `root`, a mount of an image with the init layer as its upper directory. What is no directory on the way is
 * removed first: an image may hold `/etc/hosts -> /etc/shadow`, or `/etc` as a link, and the engine later mounts on these names.
 */
export function makeMountPoints(files: Files, root: string): void {
  using top = files.openRoot(root)
  for (const [path, type] of MOUNT_POINTS) {
    const components = path.split('/')
    const name = components.pop() ?? ''
    let directory = files.openInRoot(top.fd, '.', O_PATH | constants.O_DIRECTORY)
    try {
      for (const component of components) {
        makeDirectory(files, directory, component)
        const child = files.openInRoot(directory, component, O_PATH | constants.O_DIRECTORY)
        closeSync(directory)
        directory = child
      }
      if (type === 'directory') makeDirectory(files, directory, name)
      else if (type === 'file') makeFile(files, directory, name)
      else makeLink(directory, name, type.slice('-> '.length))
    } finally {
      closeSync(directory)
    }
  }
}

/** Whether a layer, alone, has anything that {@link makeMountPoints} looks at: over one that has not, the init layer of what lies below it does as well. */
export function hasMountPoints(files: Pick<Files, 'getXattr'>, layer: string): boolean {
  if (files.getXattr(layer, OPAQUE_XATTR) !== undefined) return true
  return TOP_NAMES.some((name) => lstatSync(join(layer, name), { throwIfNoEntry: false }) !== undefined)
}

function makeDirectory(files: Files, parentFd: number, name: string): void {
  if (removeUnlessDirectory(parentFd, name)) closeSync(files.mkdirInRoot(parentFd, name, 0o755))
}

function makeFile(files: Files, parentFd: number, name: string): void {
  if (!removeUnlessDirectory(parentFd, name)) return
  closeSync(files.openInRoot(parentFd, name, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o755))
}

function makeLink(parentFd: number, name: string, target: string): void {
  if (removeUnlessDirectory(parentFd, name)) symlinkSync(target, `/proc/self/fd/${parentFd}/${name}`)
}

/** Whether the name is free now; a directory stays. */
function removeUnlessDirectory(parentFd: number, name: string): boolean {
  const path = `/proc/self/fd/${parentFd}/${name}`
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true) return false
  if (stat !== undefined) unlinkSync(path)
  return true
}
