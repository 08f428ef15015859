import { invalidArgument } from '#errors'
import { CAPABILITIES } from '#kernel'
import type { CapabilitySets, ProcessSpec, SeccompSpec } from '#oci'
import { numbers } from './numbers.ts'
import type { PlanWriter } from './plan-writer.ts'
import { EXECVE, STDIO, WARNINGS } from './protocol.ts'
import type { CompileSeccomp, StdioSpec } from './types.ts'

/** setrlimit(2) resources in the order of their numbers. Source: asm-generic/resource.h (the same on x86 and arm64). */
const RLIMITS = [
  'CPU',
  'FSIZE',
  'DATA',
  'STACK',
  'CORE',
  'RSS',
  'NPROC',
  'NOFILE',
  'MEMLOCK',
  'AS',
  'LOCKS',
  'SIGPENDING',
  'MSGQUEUE',
  'NICE',
  'RTPRIO',
  'RTTIME',
]

/** Flags of seccomp(2). Source: linux/seccomp.h. */
const SECCOMP_FLAGS = new Map([
  ['SECCOMP_FILTER_FLAG_TSYNC', 1],
  ['SECCOMP_FILTER_FLAG_LOG', 2],
  ['SECCOMP_FILTER_FLAG_SPEC_ALLOW', 4],
])

/** A process whose spec is silent has none: the other reading would be all of the daemon's. */
const NO_CAPABILITIES: CapabilitySets = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] }

const UNLIMITED = 0xffff_ffff_ffff_ffffn
const DEFAULT_UMASK = 0o022

export function addStdio(plan: PlanWriter, stdio: Omit<StdioSpec, 'log'>): void {
  const flags = (stdio.tty ? STDIO.tty : 0) | (stdio.openStdin ? STDIO.openStdin : 0) | (stdio.stdinOnce ? STDIO.stdinOnce : 0)
  plan.add('stdio', 'standard streams', { flags })
}

/** What is written through the host's /proc or must be done with all privileges; before `pivot` or `join-target`. */
export function addLimits(plan: PlanWriter, id: string, process: ProcessSpec): void {
  if (process.oomScoreAdj !== undefined) {
    const value = String(process.oomScoreAdj)
    plan.add('write', value, { path: '/proc/self/oom_score_adj', value, refused: WARNINGS.oomScoreRefused }, { as: 'oom-score' })
  }
  if (process.apparmorProfile !== undefined && process.apparmorProfile !== '') {
    // The profile that the next execve enters.
    const value = `exec ${process.apparmorProfile}`
    plan.add('write', process.apparmorProfile, { path: '/proc/self/attr/exec', value, refused: 0 }, { as: 'apparmor' })
  }
  // Kernels without keyrings, and users at their quota, do without.
  plan.add('keyring', id, { name: `_ses.${id}` }, { optional: true })
  for (const { type, soft, hard } of process.rlimits ?? []) {
    const resource = RLIMITS.indexOf(type.replace(/^RLIMIT_/, ''))
    if (resource < 0) throw invalidArgument(`invalid rlimit type: ${type}`)
    plan.add('rlimit', type, { resource, soft: limit(soft), hard: limit(hard) })
  }
}

/** -1 and what does not fit a double exactly mean: no limit. */
function limit(value: number): bigint {
  return value < 0 || value > Number.MAX_SAFE_INTEGER ? UNLIMITED : BigInt(value)
}

/**
 * User, capabilities, seccomp. Without no_new_privs loading a filter needs CAP_SYS_ADMIN, so it comes before the capabilities are dropped
 * (and has to allow the calls that follow); with it, last (`addLateFilter`), so that those calls need not be allowed. The same order as runc's.
 */
export function addIdentity(
  plan: PlanWriter,
  process: ProcessSpec,
  seccomp: SeccompSpec | undefined,
  compileSeccomp: CompileSeccomp,
): void {
  const { user, capabilities = NO_CAPABILITIES } = process
  const noNewPrivileges = process.noNewPrivileges === true
  if (noNewPrivileges) plan.add('no-new-privileges', 'process', {})
  if (seccomp !== undefined && !noNewPrivileges) addSeccomp(plan, seccomp, compileSeccomp)
  plan.add('bounding', 'bounding set', { mask: mask(capabilities.bounding) })
  plan.add('chdir', process.cwd, { path: process.cwd })
  plan.add('user', `${user.uid}:${user.gid}`, {
    uid: user.uid,
    gid: user.gid,
    umask: user.umask ?? DEFAULT_UMASK,
    groups: numbers(user.additionalGids ?? []),
  })
  plan.add('capabilities', 'process', {
    effective: mask(capabilities.effective),
    permitted: mask(capabilities.permitted),
    inheritable: mask(capabilities.inheritable),
    ambient: mask(capabilities.ambient),
  })
}

/** The filter of a process with no_new_privs; of another it is part of `addIdentity`. */
export function addLateFilter(
  plan: PlanWriter,
  process: ProcessSpec,
  seccomp: SeccompSpec | undefined,
  compileSeccomp: CompileSeccomp,
): void {
  if (seccomp !== undefined && process.noNewPrivileges === true) addSeccomp(plan, seccomp, compileSeccomp)
}

function addSeccomp(plan: PlanWriter, seccomp: SeccompSpec, compileSeccomp: CompileSeccomp): void {
  let flags = 0
  for (const name of seccomp.flags ?? []) {
    const flag = SECCOMP_FLAGS.get(name)
    if (flag === undefined) throw invalidArgument(`invalid seccomp flag: ${name}`)
    flags |= flag
  }
  plan.add('seccomp', 'filter', { flags, filter: compileSeccomp(seccomp) })
}

const BITS = new Map(CAPABILITIES.map((name, number) => [name, 1n << BigInt(number)]))

function mask(names: readonly string[]): bigint {
  let bits = 0n
  for (const name of names) {
    const bit = BITS.get(name)
    if (bit === undefined) throw invalidArgument(`unknown capability: ${name}`)
    bits |= bit
  }
  return bits
}

export function addProgram(plan: PlanWriter, process: ProcessSpec, options: { init: boolean }): void {
  const [program] = process.args
  if (program === undefined) throw invalidArgument('no command specified')
  plan.add('execve', program, { flags: options.init ? EXECVE.init : 0, arguments: process.args, environment: process.env })
}
