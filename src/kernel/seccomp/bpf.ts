/**
 * Classic BPF as seccomp uses it, written from the last instruction to the first.
 *
 * Jumps only go forward, so code that is written backwards always knows where its targets are: no labels, no second pass. A position is the
 * distance of an instruction from the end of the program, which never changes while earlier code is put in front.
 * Source: Documentation/networking/filter.rst; seccomp(2); include/uapi/linux/filter.h (`struct sock_filter`).
 */

/** Bytes of one `struct sock_filter`: u16 code, u8 jt, u8 jf, u32 k, native (little) endian. */
export const INSTRUCTION_SIZE = 8

/** BPF_MAXINSNS: the kernel refuses longer programs. */
const MAX_INSTRUCTIONS = 4096

export const LOAD_ABSOLUTE = 0x20
export const AND = 0x54
export const JUMP = 0x05
export const JUMP_EQUAL = 0x15
export const JUMP_GREATER = 0x25
export const JUMP_GREATER_EQUAL = 0x35
export const RETURN = 0x06

/** Reach of the 8-bit offsets of a conditional jump; an unconditional one has 32 bits. */
const REACH = 255

/** Distance of an instruction from the end of the program; the last instruction has 1. */
export type Position = number

interface Instruction {
  code: number
  jt: number
  jf: number
  k: number
}

export class BackwardAssembler {
  readonly #reversed: Instruction[] = []
  /** Newest `return` of each value: the one nearest to code that is still to come. */
  readonly #returns = new Map<number, Position>()

  load(offset: number): Position {
    return this.#put(LOAD_ABSOLUTE, 0, 0, offset)
  }

  and(mask: number): Position {
    return this.#put(AND, 0, 0, mask)
  }

  /** A `return value`; the nearest one there is when a conditional jump written next can reach it. */
  return(value: number): Position {
    const known = this.#returns.get(value)
    // Two conditional jumps with a trampoline each may be written between asking for this target and using it.
    if (known !== undefined && this.#reversed.length - known < REACH - 8) return known
    const position = this.#put(RETURN, 0, 0, value)
    this.#returns.set(value, position)
    return position
  }

  /** Conditional jump; targets out of reach get an unconditional jump as trampoline. */
  jump(code: typeof JUMP_EQUAL | typeof JUMP_GREATER | typeof JUMP_GREATER_EQUAL, k: number, yes: Position, no: Position): Position {
    const near = (target: Position): Position => (this.#distance(target) + 1 > REACH ? this.goto(target) : target)
    const far = near(yes)
    const other = near(no)
    // The second trampoline pushes the first target one further away; `near` keeps that one in reserve.
    return this.#put(code, this.#distance(far), this.#distance(other), k)
  }

  /** Unconditional jump, left out when `target` is the very next instruction. */
  goto(target: Position): Position {
    if (target === this.#reversed.length) return target
    return this.#put(JUMP, 0, 0, this.#distance(target))
  }

  /** Falls through to `target`: what is written next runs right before it. */
  before(target: Position): void {
    this.goto(target)
  }

  assemble(): Buffer {
    if (this.#reversed.length > MAX_INSTRUCTIONS) {
      throw new RangeError(`Cannot assemble seccomp filter: ${this.#reversed.length} instructions, the kernel takes ${MAX_INSTRUCTIONS}`)
    }
    const bytes = Buffer.alloc(this.#reversed.length * INSTRUCTION_SIZE)
    let offset = 0
    for (const instruction of this.#reversed.toReversed()) {
      bytes.writeUInt16LE(instruction.code, offset)
      bytes.writeUInt8(instruction.jt, offset + 2)
      bytes.writeUInt8(instruction.jf, offset + 3)
      bytes.writeUInt32LE(instruction.k, offset + 4)
      offset += INSTRUCTION_SIZE
    }
    return bytes
  }

  /** Instructions to skip from one that is written now. */
  #distance(target: Position): number {
    return this.#reversed.length - target
  }

  #put(code: number, jt: number, jf: number, k: number): Position {
    this.#reversed.push({ code, jt, jf, k: k >>> 0 })
    return this.#reversed.length
  }
}
