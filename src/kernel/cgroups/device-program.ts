/**
 * The v2 device controller is not a file but an eBPF program on the cgroup's directory; this writes that program.
 * Sources: cgroup-v2.rst "Device controller"; include/uapi/linux/bpf.h `struct bpf_cgroup_dev_ctx`; Documentation/bpf/standardization/instruction-set.rst.
 */

import type { DeviceAccess } from './devices.ts'

/** Bytes of one eBPF instruction: u8 opcode, u8 registers (source high), s16 offset, s32 immediate. */
export const EBPF_INSTRUCTION_SIZE = 8

export const LOAD_WORD = 0x61
export const AND_IMMEDIATE = 0x54
export const SHIFT_RIGHT = 0x74
export const MOVE_REGISTER = 0xbc
export const MOVE_IMMEDIATE = 0xb4
export const JUMP_IF_NOT_IMMEDIATE = 0x55
export const JUMP_IF_NOT_REGISTER = 0x5d
export const JUMP_IF_IMMEDIATE = 0x15
export const EXIT = 0x95

/** `access_type` is the access in its upper and the device's type in its lower half. */
const DEVICE_TYPES = { b: 1, c: 2 } as const
const ACCESS_BITS = { m: 1, r: 2, w: 4 } as const

/** Registers; R1 holds the context at entry and serves as scratch once the context is read. */
const [R0, R1, TYPE, ACCESS, MAJOR, MINOR] = [0, 1, 2, 3, 4, 5]

/** An array of `struct bpf_insn` that answers 1 (allowed) or 0. */
export function deviceProgram(access: DeviceAccess): Buffer {
  const code: Buffer[] = [
    instruction(LOAD_WORD, TYPE, R1, 0, 0),
    instruction(AND_IMMEDIATE, TYPE, 0, 0, 0xffff),
    instruction(LOAD_WORD, ACCESS, R1, 0, 0),
    instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
    instruction(LOAD_WORD, MAJOR, R1, 4, 0),
    instruction(LOAD_WORD, MINOR, R1, 8, 0),
  ]
  for (const exception of access.exceptions) code.push(...exceptionCode(exception, access.allowAll))
  code.push(...answer(access.allowAll))
  return Buffer.concat(code)
}

function exceptionCode(exception: DeviceAccess['exceptions'][number], allowAll: boolean): Buffer[] {
  const bits = Object.entries(ACCESS_BITS).reduce((sum, [letter, bit]) => (exception.access.includes(letter) ? sum | bit : sum), 0)
  // Opcode, register and operand of each test; every test jumps over the rest of this exception.
  const tests: [number, number, number, number][] = [[JUMP_IF_NOT_IMMEDIATE, TYPE, 0, DEVICE_TYPES[exception.type]]]
  if (exception.major !== '*') tests.push([JUMP_IF_NOT_IMMEDIATE, MAJOR, 0, exception.major])
  if (exception.minor !== '*') tests.push([JUMP_IF_NOT_IMMEDIATE, MINOR, 0, exception.minor])
  // Allowed when the exception covers all that is asked for; refused when it covers any of it.
  const accessTest: [number, number, number, number] = allowAll ? [JUMP_IF_IMMEDIATE, R1, 0, 0] : [JUMP_IF_NOT_REGISTER, R1, ACCESS, 0]
  const body: Buffer[] = [
    instruction(MOVE_REGISTER, R1, ACCESS, 0, 0),
    instruction(AND_IMMEDIATE, R1, 0, 0, bits),
    instruction(accessTest[0], accessTest[1], accessTest[2], 2, accessTest[3]),
    ...answer(!allowAll),
  ]
  const head = tests.map(([opcode, register, source, operand], index) =>
    instruction(opcode, register, source, tests.length - 1 - index + body.length, operand),
  )
  return [...head, ...body]
}

function answer(allowed: boolean): Buffer[] {
  return [instruction(MOVE_IMMEDIATE, R0, 0, 0, allowed ? 1 : 0), instruction(EXIT, 0, 0, 0, 0)]
}

function instruction(opcode: number, destination: number, source: number, offset: number, immediate: number): Buffer {
  const bytes = Buffer.alloc(EBPF_INSTRUCTION_SIZE)
  bytes.writeUInt8(opcode, 0)
  bytes.writeUInt8((source << 4) | destination, 1)
  bytes.writeInt16LE(offset, 2)
  bytes.writeInt32LE(immediate, 4)
  return bytes
}
