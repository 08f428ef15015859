/** Runs a device program as the kernel would, for tests. Knows the instructions `device-program.ts` writes and throws on others. */

import {
  AND_IMMEDIATE,
  EBPF_INSTRUCTION_SIZE,
  EXIT,
  JUMP_IF_IMMEDIATE,
  JUMP_IF_NOT_IMMEDIATE,
  JUMP_IF_NOT_REGISTER,
  LOAD_WORD,
  MOVE_IMMEDIATE,
  MOVE_REGISTER,
  SHIFT_RIGHT,
} from './device-program.ts'

export interface DeviceRequest {
  type: 'b' | 'c'
  major: number
  minor: number
  /** Some of r, w and m. */
  access: string
}

/** Whether the program allows the request. */
export function runDeviceProgram(program: Buffer, request: DeviceRequest): boolean {
  const context = contextOf(request)
  const registers = new Uint32Array(11)
  const get = (register: number): number => registers[register] ?? 0
  for (let index = 0; ; index += 1) {
    const at = index * EBPF_INSTRUCTION_SIZE
    if (at + EBPF_INSTRUCTION_SIZE > program.length) throw new RangeError(`Cannot run instruction ${index}: beyond the program`)
    const code = program.readUInt8(at)
    const [destination, source] = [program.readUInt8(at + 1) & 0xf, program.readUInt8(at + 1) >> 4]
    const [offset, immediate] = [program.readInt16LE(at + 2), program.readInt32LE(at + 4)]
    const jumpIf = (taken: boolean): void => {
      if (taken) index += offset
    }
    switch (code) {
      case LOAD_WORD:
        registers[destination] = context.readUInt32LE(offset)
        break
      case AND_IMMEDIATE:
        registers[destination] = get(destination) & immediate
        break
      case SHIFT_RIGHT:
        registers[destination] = get(destination) >>> immediate
        break
      case MOVE_REGISTER:
        registers[destination] = get(source)
        break
      case MOVE_IMMEDIATE:
        registers[destination] = immediate
        break
      case JUMP_IF_NOT_IMMEDIATE:
        jumpIf(get(destination) !== immediate)
        break
      case JUMP_IF_IMMEDIATE:
        jumpIf(get(destination) === immediate)
        break
      case JUMP_IF_NOT_REGISTER:
        jumpIf(get(destination) !== get(source))
        break
      case EXIT:
        return get(0) === 1
      default:
        throw new RangeError(`Cannot run instruction ${index}: unknown code 0x${code.toString(16)}`)
    }
  }
}

/** `struct bpf_cgroup_dev_ctx`. */
function contextOf({ type, major, minor, access }: DeviceRequest): Buffer {
  const bits = (access.includes('m') ? 1 : 0) | (access.includes('r') ? 2 : 0) | (access.includes('w') ? 4 : 0)
  const context = Buffer.alloc(12)
  context.writeUInt32LE((bits << 16) | (type === 'b' ? 1 : 2), 0)
  context.writeUInt32LE(major, 4)
  context.writeUInt32LE(minor, 8)
  return context
}
