import { syscallError, type SyscallArgument, type SystemCalls } from '../ffi/system-calls.ts'
import type { SyscallName } from '../ffi/syscall-numbers.ts'

export interface RecordedCall {
  name: SyscallName
  args: SyscallArgument[]
}

/** {@link SystemCalls} that records and answers by `answer` (a result, or a negative errno; 0 by default). */
export function createFakeSystemCalls(answer: (call: RecordedCall) => number = () => 0): SystemCalls & { calls: RecordedCall[] } {
  const calls: RecordedCall[] = []
  function attempt(name: SyscallName, ...args: SyscallArgument[]): number {
    const recorded = { name, args }
    calls.push(recorded)
    return answer(recorded)
  }
  return {
    calls,
    attempt,
    call(name, ...args) {
      const result = attempt(name, ...args)
      if (result < 0)
        throw syscallError(
          name,
          -result,
          args.filter((argument) => typeof argument === 'string'),
        )
      return result
    },
  }
}
