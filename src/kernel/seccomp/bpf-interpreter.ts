/**
 * Runs a seccomp program the way the kernel does, for tests: no privilege, no process to kill. Covers the instructions `bpf.ts` writes and
 * throws on any other, on a jump out of the program and on a load outside `struct seccomp_data`.
 */

import { AND, INSTRUCTION_SIZE, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_EQUAL, LOAD_ABSOLUTE, RETURN } from './bpf.ts'

/** `struct seccomp_data` without the instruction pointer. */
export interface SystemCall {
  audit: number
  number: number
  args?: readonly bigint[]
}

/** Bytes of `struct seccomp_data`. */
const DATA_SIZE = 64

/** The program's return value and how many instructions it took. */
export function interpret(program: Buffer, call: SystemCall): { value: number; steps: number } {
  const data = encode(call)
  let accumulator = 0
  let index = 0
  for (let steps = 1; ; steps += 1) {
    const offset = index * INSTRUCTION_SIZE
    if (offset + INSTRUCTION_SIZE > program.length) throw new RangeError(`Cannot run instruction ${index}: beyond the program`)
    const code = program.readUInt16LE(offset)
    const k = program.readUInt32LE(offset + 4)
    const branch = (taken: boolean): number => index + 1 + program.readUInt8(offset + (taken ? 2 : 3))
    switch (code) {
      case LOAD_ABSOLUTE:
        accumulator = data.readUInt32LE(k)
        index += 1
        break
      case AND:
        accumulator = (accumulator & k) >>> 0
        index += 1
        break
      case JUMP:
        index += 1 + k
        break
      case JUMP_EQUAL:
        index = branch(accumulator === k)
        break
      case JUMP_GREATER:
        index = branch(accumulator > k)
        break
      case JUMP_GREATER_EQUAL:
        index = branch(accumulator >= k)
        break
      case RETURN:
        return { value: k, steps }
      default:
        throw new RangeError(`Cannot run instruction ${index}: unknown code 0x${code.toString(16)}`)
    }
  }
}

function encode(call: SystemCall): Buffer {
  const data = Buffer.alloc(DATA_SIZE)
  data.writeUInt32LE(call.number >>> 0, 0)
  data.writeUInt32LE(call.audit >>> 0, 4)
  for (const [index, argument] of (call.args ?? []).entries()) data.writeBigUInt64LE(BigInt.asUintN(64, argument), 16 + 8 * index)
  return data
}
