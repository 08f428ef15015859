/**
 * `compileSeccomp`: an OCI seccomp section becomes the classic BPF program for seccomp(2).
 *
 * Shape of the program: architecture check, call number, binary search over ranges of numbers that are treated alike, argument checks where a
 * range has them, return. About eight jumps decide any of 460 calls. Calls without argument checks depend on nothing but number and architecture,
 * so the kernel answers them from its own bitmap without running the program at all (seccomp.c, action cache, Linux 5.11).
 *
 * Signature: compileSeccomp(spec: SeccompSpec, machine: Machine): Buffer   (array of `struct sock_filter`, at most 4096)
 */

import { invalidArgument } from '#errors'
import type { SeccompSpec } from '#oci'
import { RETURN_KILL_THREAD } from './actions.ts'
import { ARCHITECTURES, architectureByName, nativeArchitecture, X32_CALL_BIT, type Architecture, type Machine } from './architectures.ts'
import { BackwardAssembler, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_EQUAL, type Position } from './bpf.ts'
import { decide, type Condition, type Decision } from './decisions.ts'

/** Offsets in `struct seccomp_data`. Source: include/uapi/linux/seccomp.h; all our machines are little endian. */
const OFFSET_NUMBER = 0
const OFFSET_ARCHITECTURE = 4
const OFFSET_ARGUMENTS = 16

/** A call that a tracer has cancelled is shown as number -1. */
const CANCELLED_CALL = 0xffffffff

/** Consecutive call numbers from `start` to the next range that get the same answer. */
interface Range {
  start: number
  decision: Decision
}

/**
 * A call of an architecture the profile does not list kills the thread, as with libseccomp. `spec.flags` are for the seccomp(2) call itself and
 * not part of the program. Throws INVALID_ARGUMENT for what the profile gets wrong.
 */
export function compileSeccomp(spec: SeccompSpec, machine: Machine): Buffer {
  const assembler = new BackwardAssembler()
  const wanted = listed(spec, machine)
  const kinds = [...new Set(wanted.map((architecture) => architecture.audit))]
  let next = assembler.return(RETURN_KILL_THREAD)
  // Written backwards: the first of `kinds`, the native one, is tested first.
  for (const audit of kinds.toReversed()) {
    const section = writeSection(
      assembler,
      spec,
      wanted.filter((architecture) => architecture.audit === audit),
    )
    next = assembler.jump(JUMP_EQUAL, audit, section, next)
  }
  assembler.before(next)
  assembler.load(OFFSET_ARCHITECTURE)
  return assembler.assemble()
}

function listed(spec: SeccompSpec, machine: Machine): Architecture[] {
  const names = new Set(spec.architectures ?? [])
  for (const name of names) {
    if (!name.startsWith('SCMP_ARCH_')) throw invalidArgument(`string ${name} is not a valid arch for seccomp`)
  }
  const native = nativeArchitecture(machine)
  const others = ARCHITECTURES.filter((architecture) => architecture !== native && names.has(architecture.scmp))
  return [native, ...others]
}

/** Everything about the calls with one `seccomp_data.arch`: on x86-64 the native ones and those of x32. */
function writeSection(assembler: BackwardAssembler, spec: SeccompSpec, architectures: Architecture[]): Position {
  const ranges = architectures.flatMap((architecture) => rangesOf(spec, architecture)).sort((a, b) => a.start - b.start)
  const native = architectures[0]
  if (native?.audit === architectureByName('SCMP_ARCH_X86_64')?.audit && !architectures.some(({ callBit }) => callBit !== 0)) {
    ranges.push(...forbiddenX32(spec, native))
  }
  const entry = writeSearch(assembler, ranges, native?.bits ?? 64)
  assembler.before(entry)
  return assembler.load(OFFSET_NUMBER)
}

/** x32 not listed: its calls are a foreign architecture, unless the range above the last known call answers them already. */
function forbiddenX32(spec: SeccompSpec, native: Architecture | undefined): Range[] {
  if (native === undefined) return []
  const { fallback, beyond } = decide(spec, native)
  if (beyond !== fallback) return []
  return [
    { start: X32_CALL_BIT, decision: { cases: [], otherwise: RETURN_KILL_THREAD } },
    { start: CANCELLED_CALL, decision: { cases: [], otherwise: fallback } },
  ]
}

function rangesOf(spec: SeccompSpec, architecture: Architecture): Range[] {
  const { byNumber, fallback, last, beyond } = decide(spec, architecture)
  const plain: Decision = { cases: [], otherwise: fallback }
  const ranges: Range[] = []
  let previous = ''
  for (let number = 0; number <= last + 1; number += 1) {
    const decision = number > last ? { cases: [], otherwise: beyond } : (byNumber.get(number) ?? plain)
    const text = decision.cases.length === 0 ? String(decision.otherwise) : `${number}`.concat(':own')
    if (text === previous) continue
    previous = text
    ranges.push({ start: number + architecture.callBit, decision })
  }
  return ranges
}

function writeSearch(assembler: BackwardAssembler, ranges: readonly Range[], bits: 32 | 64): Position {
  const middle = ranges.length >> 1
  const pivot = ranges[middle]
  if (pivot === undefined) throw new RangeError('Cannot write filter: no range of call numbers')
  if (ranges.length === 1) return writeDecision(assembler, pivot.decision, bits)
  const high = writeSearch(assembler, ranges.slice(middle), bits)
  const low = writeSearch(assembler, ranges.slice(0, middle), bits)
  return assembler.jump(JUMP_GREATER_EQUAL, pivot.start, high, low)
}

function writeDecision(assembler: BackwardAssembler, decision: Decision, bits: 32 | 64): Position {
  let next = assembler.return(decision.otherwise)
  for (const { conditions, value } of decision.cases.toReversed()) {
    let entry = assembler.return(value)
    for (const condition of conditions.toReversed()) entry = writeCondition(assembler, condition, bits, entry, next)
    next = entry
  }
  return next
}

function writeCondition(assembler: BackwardAssembler, condition: Condition, bits: 32 | 64, yes: Position, no: Position): Position {
  switch (condition.op) {
    case 'SCMP_CMP_EQ':
      return writeMaskedEqual(assembler, condition.index, 0xffffffffffffffffn, condition.value, bits, yes, no)
    case 'SCMP_CMP_NE':
      return writeMaskedEqual(assembler, condition.index, 0xffffffffffffffffn, condition.value, bits, no, yes)
    case 'SCMP_CMP_MASKED_EQ':
      return writeMaskedEqual(assembler, condition.index, condition.value, condition.valueTwo, bits, yes, no)
    case 'SCMP_CMP_GT':
      return writeOrder(assembler, condition, JUMP_GREATER, bits, yes, no)
    case 'SCMP_CMP_GE':
      return writeOrder(assembler, condition, JUMP_GREATER_EQUAL, bits, yes, no)
    case 'SCMP_CMP_LE':
      return writeOrder(assembler, condition, JUMP_GREATER, bits, no, yes)
    default: // SCMP_CMP_LT
      return writeOrder(assembler, condition, JUMP_GREATER_EQUAL, bits, no, yes)
  }
}

/** `(argument & mask) == datum`, a half of the argument at a time: the machine is 32 bits wide. */
function writeMaskedEqual(
  assembler: BackwardAssembler,
  index: number,
  mask: bigint,
  datum: bigint,
  bits: 32 | 64,
  yes: Position,
  no: Position,
): Position {
  const low = writeHalfEqual(assembler, lowOffset(index), lowHalf(mask), lowHalf(datum), yes, no)
  if (bits === 32 || (highHalf(mask) === 0 && highHalf(datum) === 0)) return low
  return writeHalfEqual(assembler, highOffset(index), highHalf(mask), highHalf(datum), low, no)
}

function writeHalfEqual(assembler: BackwardAssembler, offset: number, mask: number, datum: number, yes: Position, no: Position): Position {
  assembler.jump(JUMP_EQUAL, datum, yes, no)
  if (mask !== 0xffffffff) assembler.and(mask)
  return assembler.load(offset)
}

/** `argument > value` or `>=`: the upper halves decide unless they are equal. */
function writeOrder(
  assembler: BackwardAssembler,
  condition: Condition,
  jump: typeof JUMP_GREATER | typeof JUMP_GREATER_EQUAL,
  bits: 32 | 64,
  yes: Position,
  no: Position,
): Position {
  assembler.jump(jump, lowHalf(condition.value), yes, no)
  const low = assembler.load(lowOffset(condition.index))
  if (bits === 32) return low
  const equal = assembler.jump(JUMP_EQUAL, highHalf(condition.value), low, no)
  assembler.jump(JUMP_GREATER, highHalf(condition.value), yes, equal)
  return assembler.load(highOffset(condition.index))
}

function lowOffset(index: number): number {
  return OFFSET_ARGUMENTS + 8 * index
}

function highOffset(index: number): number {
  return lowOffset(index) + 4
}

function lowHalf(value: bigint): number {
  return Number(value & 0xffffffffn)
}

function highHalf(value: bigint): number {
  return Number(value >> 32n)
}
