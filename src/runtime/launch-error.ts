import { constants } from 'node:os'
import { getSystemErrorMessage } from 'node:util'
import type { Plan } from './plan-writer.ts'
import { LaunchError } from './types.ts'

const CODES = new Map(Object.entries(constants.errno).map(([code, errno]) => [errno, code]))

/** Texts of strerror(3) that libuv does not know. */
const OTHER_TEXTS: Record<string, string> = {
  ENOEXEC: 'exec format error',
  ENOSYS: 'function not implemented',
  EBADMSG: 'bad message',
}

/** `ENOENT` for 2. */
export function errnoCode(errno: number): string {
  return CODES.get(errno) ?? `E${errno}`
}

/** Tells a failure by the operation of the plan it happened in: `mount proc on /proc: permission denied`. */
export function launchError(plan: Plan['operations'], operation: number, errno: number): LaunchError {
  const { name, subject } = plan[operation] ?? { name: 'launch', subject: '' }
  const code = errnoCode(errno)
  const text = OTHER_TEXTS[code] ?? getSystemErrorMessage(-errno) ?? `error ${errno}`
  return new LaunchError(name, subject, errno, code, `${name} ${subject}: ${text}`)
}
