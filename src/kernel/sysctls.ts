import { readFileSync, writeFileSync } from 'node:fs'
import type { Sysctls } from './types.ts'

/** {@link Sysctls} below /proc/sys; those of the network are the calling thread's namespace's. */
export function createSysctls(root = '/proc/sys'): Sysctls {
  return {
    read(path) {
      try {
        return readFileSync(`${root}/${path}`, 'utf8').trim()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    write: (path, value) => writeFileSync(`${root}/${path}`, value),
  }
}
