import { DynamicLibrary, getInt32 } from 'node:ffi'
import { SyscallError } from '#errors'
import { describeErrno } from './errno.ts'
import { type SyscallName, syscallNumbers } from './syscall-numbers.ts'

/** Numbers are passed by value (negative ones sign-extended), strings as NUL-terminated UTF-8, views by address, null as 0. */
export type SyscallArgument = number | bigint | string | NodeJS.ArrayBufferView | null

/** System calls by name. The one way out of JavaScript; `fake/` has a recording stand-in. */
export interface SystemCalls {
  /** The call's result; throws SyscallError whose `args` are the string arguments. */
  call(name: SyscallName, ...args: SyscallArgument[]): number
  /** The call's result, or `-errno`: for failures that are an expected answer, where an exception would cost more than the call. */
  attempt(name: SyscallName, ...args: SyscallArgument[]): number
}

/** Error for a call that answered `errno`, naming what the call was about: `mount proc /proc: permission denied`. */
export function syscallError(name: string, errno: number, about: readonly (string | number)[], detail = ''): SyscallError {
  const { code, description } = describeErrno(errno)
  return new SyscallError(name, errno, code, detail === '' ? description : `${description} (${detail})`, about)
}

const EINVAL = 22

/**
 * The real thing: syscall(2) of the C library this node process is linked with, so glibc and musl need no library names. Belongs to the
 * thread that made it (errno is per thread): a worker makes its own. Costs 0.5 µs per call, 2 µs with a string.
 */
export function createSystemCalls(): SystemCalls {
  const library = new DynamicLibrary(null)
  const pointer = 'pointer'
  // Every argument is declared a pointer: node:ffi then takes addresses, strings, views and integers in any place, one binding for all calls.
  const syscall = library.getFunction('syscall', {
    arguments: ['int64', pointer, pointer, pointer, pointer, pointer, pointer],
    return: 'int64',
  })
  const errnoAddress = library.getFunction('__errno_location', { arguments: [], return: 'pointer' })()
  const numbers = syscallNumbers(process.arch)

  function attempt(name: SyscallName, ...args: SyscallArgument[]): number {
    // node:ffi answers a NUL byte inside a string with a TypeError; the kernel's word for a bad path is what callers handle.
    if (args.some((argument) => typeof argument === 'string' && argument.includes('\0'))) return -EINVAL
    const result = syscall(
      BigInt(numbers[name]),
      toWord(args[0]),
      toWord(args[1]),
      toWord(args[2]),
      toWord(args[3]),
      toWord(args[4]),
      toWord(args[5]),
    )
    // Read errno before anything else runs: a garbage collection in between may make calls of its own.
    if (result === -1n) return -getInt32(errnoAddress)
    return Number(result)
  }

  return {
    attempt,
    call(name, ...args) {
      const result = attempt(name, ...args)
      if (result >= 0) return result
      const about = args.filter((argument) => typeof argument === 'string')
      throw syscallError(name, -result, about)
    },
  }
}

function toWord(argument: SyscallArgument | undefined): bigint | string | NodeJS.ArrayBufferView | null {
  if (argument === undefined) return 0n
  if (typeof argument === 'number' || typeof argument === 'bigint') return BigInt.asUintN(64, BigInt(argument))
  return argument
}
