/** Rules by name become one decision per system call number, with libseccomp's order of precedence. */

import { invalidArgument } from '#errors'
import type { SeccompRule, SeccompSpec } from '#oci'
import { ENOSYS, errnoReturn, returnValue } from './actions.ts'
import type { Architecture } from './architectures.ts'

export type Comparison =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ'

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>([
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
])

/** MASKED_EQ: `(argument & value) == valueTwo`. */
export interface Condition {
  index: number
  op: Comparison
  value: bigint
  valueTwo: bigint
}

/** The first case whose conditions all hold decides; none: `otherwise`. Numbers are the kernel's return values. */
export interface Decision {
  cases: { conditions: Condition[]; value: number }[]
  otherwise: number
}

export interface Decisions {
  byNumber: Map<number, Decision>
  /** For every number up to `last` that has no decision. */
  fallback: number
  /** Highest number any rule of the profile names, -1 for none. */
  last: number
  /**
   * For numbers above `last`: ENOSYS where the profile refuses by default. A libc that tries a call newer than the profile then falls back
   * to an older one; EPERM would make it give up. runc does the same since 1.0.0-rc93.
   */
  beyond: number
}

/**
 * i386 reaches sockets and SysV IPC through one call with a selector as first argument as well as directly. A rule for the direct
 * call covers the other way in too, otherwise a profile that refuses `socket` could be walked around by `socketcall`.
 * Source: socketcall(2), ipc(2); include/uapi/linux/net.h, ipc.h.
 */
const MULTIPLEXED = new Map<string, { multiplexer: string; selector: number }>([
  ...selectors('socketcall', 1, 'socket bind connect listen accept getsockname getpeername socketpair send recv'),
  ...selectors('socketcall', 11, 'sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg'),
  ...selectors('ipc', 1, 'semop semget semctl semtimedop'),
  ...selectors('ipc', 11, 'msgsnd msgrcv msgget msgctl'),
  ...selectors('ipc', 21, 'shmat shmdt shmget shmctl'),
])

function selectors(multiplexer: string, first: number, names: string): [string, { multiplexer: string; selector: number }][] {
  return names.split(' ').map((name, index) => [name, { multiplexer, selector: first + index }])
}

/** ipc(2) keeps a version in the upper half of its selector. */
const SELECTOR_MASK = 0xffffn

/** Throws INVALID_ARGUMENT for an unknown action, operator or argument index. Unknown call names are skipped: other kernels have them. */
export function decide(spec: SeccompSpec, architecture: Architecture): Decisions {
  const fallback = returnValue(spec.defaultAction, spec.defaultErrnoRet)
  const permissive = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(spec.defaultAction)
  const byNumber = new Map<number, Decision>()
  let last = -1
  for (const rule of spec.syscalls ?? []) {
    const value = returnValue(rule.action, rule.errnoRet)
    const cases = conditionSets(rule)
    for (const name of rule.names) {
      const number = architecture.numbers.get(name)
      if (number !== undefined) {
        last = Math.max(last, number)
        add(byNumber, number, cases, value, fallback)
      }
      if (architecture.bits === 32 && cases.length === 0) addMultiplexed(byNumber, architecture, name, value, fallback)
    }
  }
  return { byNumber, fallback, last, beyond: permissive || last < 0 ? fallback : errnoReturn(ENOSYS) }
}

/**
 * libseccomp's precedence: a rule equal to the default says nothing; the first unconditional rule is final; an unconditional rule
 * replaces conditional ones before it.
 */
function add(byNumber: Map<number, Decision>, number: number, cases: Condition[][], value: number, fallback: number): void {
  if (value === fallback) return
  const known = byNumber.get(number)
  if (known !== undefined && known.cases.length === 0) return
  if (cases.length === 0) {
    byNumber.set(number, { cases: [], otherwise: value })
    return
  }
  const decision = known ?? { cases: [], otherwise: fallback }
  for (const conditions of cases) decision.cases.push({ conditions, value })
  byNumber.set(number, decision)
}

function addMultiplexed(byNumber: Map<number, Decision>, architecture: Architecture, name: string, value: number, fallback: number): void {
  const way = MULTIPLEXED.get(name)
  const number = way === undefined ? undefined : architecture.numbers.get(way.multiplexer)
  if (way === undefined || number === undefined) return
  const condition: Condition = { index: 0, op: 'SCMP_CMP_MASKED_EQ', value: SELECTOR_MASK, valueTwo: BigInt(way.selector) }
  add(byNumber, number, [[condition]], value, fallback)
}

/**
 * The alternatives of a rule: all its conditions together, or, when two are about the same argument, each on its own. That odd reading is
 * runc's ("either" instead of "both"), and profiles out there rely on it.
 */
function conditionSets(rule: SeccompRule): Condition[][] {
  const conditions = (rule.args ?? []).map((argument): Condition => {
    if (!Number.isInteger(argument.index) || argument.index < 0 || argument.index > 5) {
      throw invalidArgument(`invalid seccomp argument index ${argument.index}: a system call has arguments 0 to 5`)
    }
    if (!isComparison(argument.op)) throw invalidArgument(`string ${argument.op} is not a valid operator for seccomp`)
    return {
      index: argument.index,
      op: argument.op,
      value: BigInt.asUintN(64, BigInt(argument.value)),
      valueTwo: BigInt.asUintN(64, BigInt(argument.valueTwo ?? 0)),
    }
  })
  if (conditions.length === 0) return []
  const indexes = new Set(conditions.map((condition) => condition.index))
  return indexes.size === conditions.length ? [conditions] : conditions.map((condition) => [condition])
}

function isComparison(op: string): op is Comparison {
  return COMPARISONS.has(op)
}
