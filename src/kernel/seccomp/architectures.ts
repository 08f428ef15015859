/** The system call conventions Gantry's filters know, as libseccomp, Docker's profiles and the kernel name them. */

import { AARCH64, I386, X32, X86_64, type SyscallNumbers } from './syscall-numbers.ts'

export interface Architecture {
  /** As in `SeccompSpec.architectures`. */
  scmp: string
  /** As in the `arches` lists of Docker's profiles (Go's GOARCH, mostly). */
  docker: string
  /** `AUDIT_ARCH_…` in `seccomp_data.arch`. Source: include/uapi/linux/audit.h. */
  audit: number
  /** Set in every call number of this convention; x32 shares its `audit` value with x86-64 and differs only here. */
  callBit: number
  /** 32: the upper half of every argument is zero. */
  bits: 32 | 64
  numbers: SyscallNumbers
}

/** `__X32_SYSCALL_BIT`. Source: arch/x86/include/uapi/asm/unistd.h. */
export const X32_CALL_BIT = 0x40000000

const AUDIT_X86_64 = 0xc000003e

export const ARCHITECTURES: readonly Architecture[] = [
  { scmp: 'SCMP_ARCH_X86_64', docker: 'amd64', audit: AUDIT_X86_64, callBit: 0, bits: 64, numbers: X86_64 },
  { scmp: 'SCMP_ARCH_X86', docker: 'x86', audit: 0x40000003, callBit: 0, bits: 32, numbers: I386 },
  { scmp: 'SCMP_ARCH_X32', docker: 'x32', audit: AUDIT_X86_64, callBit: X32_CALL_BIT, bits: 64, numbers: X32 },
  { scmp: 'SCMP_ARCH_AARCH64', docker: 'arm64', audit: 0xc00000b7, callBit: 0, bits: 64, numbers: AARCH64 },
]

/** Machines Gantry runs on; the value is the native convention. Keys as in `process.arch`. */
export type Machine = 'x64' | 'arm64'

export function nativeArchitecture(machine: Machine): Architecture {
  const scmp = machine === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'
  const found = ARCHITECTURES.find((architecture) => architecture.scmp === scmp)
  if (found === undefined) throw new RangeError(`Cannot find architecture of machine ${machine}`)
  return found
}

/** undefined for conventions no machine of ours can execute (MIPS, s390 …); a filter need not mention those. */
export function architectureByName(scmp: string): Architecture | undefined {
  return ARCHITECTURES.find((architecture) => architecture.scmp === scmp)
}
