import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** Symbolic name and sentence of a positive errno value: `2` → `ENOENT`, `no such file or directory`. Unknown values get `E<number>`. */
export function describeErrno(errno: number): { code: string; description: string } {
  const known = getSystemErrorMap().get(-errno)
  if (known !== undefined) return { code: known[0], description: known[1] }
  // libuv names about 80 of them; the system's list has the rest, without sentences.
  const code = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `E${errno}`
  return { code, description: `error ${code}` }
}
