import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { CAPABILITIES, DEFAULT_CAPABILITIES } from '../capabilities.ts'
import { ARCHITECTURES, type Architecture } from './architectures.ts'
import { interpret } from './bpf-interpreter.ts'
import { compileSeccomp } from './compile.ts'
import { DEFAULT_PROFILE } from './default-profile.ts'
import { decodeProfile, resolveProfile, type Profile, type ProfileRule } from './profile.ts'

const ALLOW = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026

/** Docker's own profile, where a copy is beside the working tree. */
const REFERENCE = new URL('../../../../shared/docker-defaults/seccomp.json', import.meta.url)

const x64 = ARCHITECTURES.filter(({ docker }) => ['amd64', 'x86', 'x32'].includes(docker))
const arm64 = ARCHITECTURES.filter(({ docker }) => docker === 'arm64')

/** Interesting first and second arguments: around every number that the profile compares with. */
const ARGUMENTS = [0n, 1n, 8n, 37n, 38n, 39n, 40n, 41n, 0x20000n, 0x20008n, 0x40000n, 0x10000000n, 0x7e020000n, 0xffffffffn, 1n << 40n]

function program(profile: Profile, capabilities: readonly string[], machine: 'x64' | 'arm64'): Buffer {
  const spec = resolveProfile(profile, { capabilities, machine, kernel: '6.1.0' })
  assert.ok(spec !== undefined)
  return compileSeccomp(spec, machine)
}

/** What Docker's profile says of a call, read off the rules one by one: another way to the answer than the compiler's. */
function expected(
  rules: readonly ProfileRule[],
  host: { capabilities: readonly string[]; native: string },
  architecture: Architecture,
  call: { number: number; argument: bigint },
): number {
  const active = rules.filter(
    ({ includes = {}, excludes = {} }) =>
      (includes.caps ?? []).every((name) => host.capabilities.includes(name)) &&
      ((includes.arches ?? []).length === 0 || includes.arches?.includes(host.native) === true) &&
      !(excludes.caps ?? []).some((name) => host.capabilities.includes(name)) &&
      !(excludes.arches ?? []).includes(host.native),
  )
  const named = active.filter(({ names }) => names.some((name) => architecture.numbers.get(name) === call.number))
  const argument = architecture.bits === 32 ? call.argument & 0xffffffffn : call.argument
  const allowed = named.some(
    ({ action, args = [] }) =>
      action === 'SCMP_ACT_ALLOW' &&
      args.every(({ value, valueTwo = 0, op }) => {
        if (op === 'SCMP_CMP_LT') return argument < BigInt(value)
        if (op === 'SCMP_CMP_GT') return argument > BigInt(value)
        if (op === 'SCMP_CMP_EQ') return argument === BigInt(value)
        assert.equal(op, 'SCMP_CMP_MASKED_EQ')
        return (argument & BigInt(value)) === BigInt(valueTwo)
      }),
  )
  if (allowed) return ALLOW
  if (named.some(({ action }) => action === 'SCMP_ACT_ERRNO')) return ENOSYS
  const last = Math.max(...active.flatMap(({ names }) => names.map((name) => architecture.numbers.get(name) ?? -1)))
  return call.number > last ? ENOSYS : EPERM
}

function capabilitySets(): string[][] {
  return [[], [...DEFAULT_CAPABILITIES], [...CAPABILITIES], ...CAPABILITIES.map((name) => [...DEFAULT_CAPABILITIES, name])]
}

describe('DEFAULT_PROFILE', () => {
  const present = existsSync(REFERENCE)
  const name = 'decides every call, argument and capability set as the profile of Docker does'
  it(name, { skip: present ? false : 'no copy of the profile of Docker here' }, () => {
    const reference = decodeProfile(readFileSync(REFERENCE, 'utf8'))
    for (const [machine, architectures, native] of [
      ['x64', x64, 'amd64'],
      ['arm64', arm64, 'arm64'],
    ] as const) {
      for (const capabilities of capabilitySets()) {
        const ours = program(DEFAULT_PROFILE, capabilities, machine)
        for (const architecture of architectures) {
          for (let number = 0; number < 600; number += 1) {
            const conditional = reference.syscalls.some(
              ({ args, names }) => args !== undefined && names.some((call) => architecture.numbers.get(call) === number),
            )
            for (const argument of conditional ? ARGUMENTS : [0n]) {
              const { value } = interpret(ours, {
                audit: architecture.audit,
                number: architecture.callBit + number,
                args: [argument, 0n, 0n, 0n, 0n, 0n],
              })
              const wanted = expected(reference.syscalls, { capabilities, native }, architecture, { number, argument })
              assert.equal(value, wanted, `${architecture.docker} call ${number}(${argument}) with ${capabilities.at(-1)}`)
            }
          }
        }
      }
    }
  })

  it('compiles to a program the kernel takes and decides any call within twenty instructions', () => {
    const bytes = program(DEFAULT_PROFILE, DEFAULT_CAPABILITIES, 'x64')
    assert.ok(bytes.length / 8 <= 4096)
    for (const architecture of x64) {
      for (let number = 0; number < 600; number += 1) {
        const { steps } = interpret(bytes, { audit: architecture.audit, number: architecture.callBit + number, args: [] })
        assert.ok(steps <= 20, `${architecture.docker} call ${number}: ${steps}`)
      }
    }
  })

  it('refuses what breaks out and allows what everybody needs', () => {
    const bytes = program(DEFAULT_PROFILE, DEFAULT_CAPABILITIES, 'x64')
    const [native] = x64
    const answer = (call: string, argument = 0n): number =>
      interpret(bytes, { audit: native?.audit ?? 0, number: native?.numbers.get(call) ?? -1, args: [argument] }).value
    for (const call of ['mount', 'unshare', 'setns', 'bpf', 'kexec_load', 'init_module', 'keyctl', 'userfaultfd', 'io_uring_setup']) {
      assert.notEqual(answer(call), ALLOW, call)
    }
    for (const call of ['read', 'openat', 'execve', 'clone', 'socket', 'futex', 'rseq']) assert.equal(answer(call), ALLOW, call)
    assert.equal(answer('clone', 0x10000000n), EPERM, 'CLONE_NEWUSER')
    assert.equal(answer('clone3'), ENOSYS)
  })
})
