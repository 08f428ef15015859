/** What a filter answers: OCI action names to the kernel's 32-bit return values. */

import { invalidArgument, notImplemented } from '#errors'

const EPERM = 1

/** Upper half of SECCOMP_RET_…; the lower half is data. Source: include/uapi/linux/seccomp.h. */
const RETURN_VALUES: Record<string, number> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
}

export const RETURN_KILL_THREAD = 0x00000000
export const RETURN_ALLOW = 0x7fff0000

export const ENOSYS = 38

/** `errno` matters for ERRNO and TRACE only; the default is EPERM as in runc. Throws INVALID_ARGUMENT for an unknown action. */
export function returnValue(action: string, errno?: number): number {
  if (action === 'SCMP_ACT_NOTIFY') throw notImplemented('seccomp action SCMP_ACT_NOTIFY is not supported: there is no listener to tell')
  const base = RETURN_VALUES[action]
  if (base === undefined) throw invalidArgument(`string ${action} is not a valid action for seccomp`)
  if (action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE') return (base | ((errno ?? EPERM) & 0xffff)) >>> 0
  return base
}

export function errnoReturn(errno: number): number {
  return returnValue('SCMP_ACT_ERRNO', errno)
}
