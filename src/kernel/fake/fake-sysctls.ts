import type { Sysctls } from '../types.ts'

/** {@link Sysctls} in memory. */
export function createFakeSysctls(initial: Record<string, string> = {}): Sysctls & { values: Map<string, string> } {
  const values = new Map(Object.entries(initial))
  return {
    values,
    read: (path) => values.get(path),
    write: (path, value) => void values.set(path, value),
  }
}
