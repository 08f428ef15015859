import { createFiles } from '../files.ts'
import { createSystemCalls, type SystemCalls } from '../ffi/system-calls.ts'
import type { FilePath, Files } from '../types.ts'

export type FileCall =
  | { call: 'mknodAt'; dirFd: number; name: FilePath; mode: number; major: number; minor: number }
  | { call: 'setXattr'; path: FilePath; name: string; value: Buffer }
  | { call: 'removeXattr'; path: FilePath; name: string }
  | { call: 'syncfs'; path: string }

/**
 * {@link Files} without privileges: what root alone may do (device nodes, `trusted.` and `security.` attributes) and what is slow (syncfs) is
 * recorded and remembered in memory; opening, mkdir and extents are real, so that tests run on a temporary directory.
 */
export function createFakeFiles(system: SystemCalls = createSystemCalls()): Files & { calls: FileCall[] } {
  const calls: FileCall[] = []
  const attributes = new Map<string, Map<string, Buffer>>()
  return {
    ...createFiles(system),
    calls,
    mknodAt(dirFd, name, mode, major, minor) {
      calls.push({ call: 'mknodAt', dirFd, name, mode, major, minor })
    },
    getXattr: (path, name) => attributes.get(String(path))?.get(name),
    listXattr: (path) => [...(attributes.get(String(path))?.keys() ?? [])],
    setXattr(path, name, value) {
      calls.push({ call: 'setXattr', path, name, value })
      const ofPath = attributes.get(String(path)) ?? new Map<string, Buffer>()
      attributes.set(String(path), ofPath.set(name, Buffer.from(value)))
    },
    removeXattr(path, name) {
      calls.push({ call: 'removeXattr', path, name })
      attributes.get(String(path))?.delete(name)
    },
    syncfs(path) {
      calls.push({ call: 'syncfs', path })
    },
  }
}
