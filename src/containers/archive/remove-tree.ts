import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { decodeName } from '#archive'
import { SyscallError } from '#errors'
import { errorCode, mountIdOf, type Pinned } from './pinned.ts'

const EBUSY = 16

/**
 * Deletes an entry of a pinned directory and, when it is a directory, all below it. Every level is held open while it is emptied, so a directory
 * exchanged for a link meanwhile is unlinked and not entered. Gone already is fine. Throws EBUSY for anything something is mounted on: in our mount
 * namespace the kernel would let it go, and unmount the container's volume with it.
 */
export function removeTree(directory: Pinned, name: string): void {
  refuseMountPoint(directory, name)
  const path = directory.child(name)
  try {
    if (!lstatSync(path).isDirectory()) return unlinkSync(path)
    {
      using opened = directory.pinDirectory(name)
      for (const child of readdirSync(opened.path, { encoding: 'buffer' })) removeTree(opened, decodeName(child))
    }
    rmdirSync(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

function refuseMountPoint(directory: Pinned, name: string): void {
  try {
    using entry = directory.pin(name)
    if (mountIdOf(entry) !== mountIdOf(directory)) throw new SyscallError('unlinkat', EBUSY, 'EBUSY', 'device or resource busy', [name])
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}
