/**
 * Numbers of the system calls this project makes, per machine. Calls newer than 2011 have one number everywhere (since Linux 5.0 all tables share
 * them), the older ones differ. Sources: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
 */

const SHARED = {
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  openat2: 437,
  mount_setattr: 442,
} as const

const X64 = {
  lseek: 8,
  ioctl: 16,
  socket: 41,
  connect: 42,
  bind: 49,
  setsockopt: 54,
  getsockname: 51,
  mount: 165,
  umount2: 166,
  lsetxattr: 189,
  lgetxattr: 192,
  fgetxattr: 193,
  llistxattr: 195,
  flistxattr: 196,
  lremovexattr: 198,
  mkdirat: 258,
  mknodat: 259,
  unshare: 272,
  fallocate: 285,
  bpf: 321,
  utimensat: 280,
  syncfs: 306,
  setns: 308,
  copy_file_range: 326,
} as const

export type SyscallName = keyof typeof SHARED | keyof typeof X64

const ARM64: Record<keyof typeof X64, number> = {
  lseek: 62,
  ioctl: 29,
  socket: 198,
  connect: 203,
  bind: 200,
  setsockopt: 208,
  getsockname: 204,
  mount: 40,
  umount2: 39,
  lsetxattr: 6,
  lgetxattr: 9,
  fgetxattr: 10,
  llistxattr: 12,
  flistxattr: 13,
  lremovexattr: 15,
  mkdirat: 34,
  mknodat: 33,
  unshare: 97,
  fallocate: 47,
  bpf: 280,
  utimensat: 88,
  syncfs: 267,
  setns: 268,
  copy_file_range: 285,
}

/** The table for `arch` (node's `process.arch`). Throws for a machine nobody has looked the numbers up for: a wrong number would be another call. */
export function syscallNumbers(arch: string): Record<SyscallName, number> {
  if (arch === 'x64') return { ...SHARED, ...X64 }
  if (arch === 'arm64') return { ...SHARED, ...ARM64 }
  throw new Error(`Cannot make system calls on machine "${arch}": its call numbers are unknown (x64 and arm64 are known)`)
}
