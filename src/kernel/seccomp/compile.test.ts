import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SeccompRule, SeccompSpec } from '#oci'
import { interpret } from './bpf-interpreter.ts'
import { compileSeccomp } from './compile.ts'
import { AARCH64, I386, X86_64 } from './syscall-numbers.ts'

const AUDIT_X86_64 = 0xc000003e
const AUDIT_I386 = 0x40000003
const AUDIT_AARCH64 = 0xc00000b7
const KILL = 0
const ALLOW = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026

function spec(syscalls: SeccompRule[], more: Partial<SeccompSpec> = {}): SeccompSpec {
  return { defaultAction: 'SCMP_ACT_ERRNO', syscalls, ...more }
}

function number(name: string, table = X86_64): number {
  const found = table.get(name)
  assert.ok(found !== undefined, name)
  return found
}

function answer(program: Buffer, name: string, args: bigint[] = []): number {
  return interpret(program, { audit: AUDIT_X86_64, number: number(name), args }).value
}

/** Values that differ in one half, in the sign bits, and by one. */
const VALUES = [0n, 1n, 2n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x100000001n, 0x8000000000000000n, 0xffffffffffffffffn]

const MEANING: Record<string, (argument: bigint, value: bigint, valueTwo: bigint) => boolean> = {
  SCMP_CMP_NE: (argument, value) => argument !== value,
  SCMP_CMP_LT: (argument, value) => argument < value,
  SCMP_CMP_LE: (argument, value) => argument <= value,
  SCMP_CMP_EQ: (argument, value) => argument === value,
  SCMP_CMP_GE: (argument, value) => argument >= value,
  SCMP_CMP_GT: (argument, value) => argument > value,
  SCMP_CMP_MASKED_EQ: (argument, value, valueTwo) => (argument & value) === valueTwo,
}

describe('compileSeccomp', () => {
  for (const [op, holds] of Object.entries(MEANING)) {
    it(`${op} compares all 64 bits as unsigned numbers`, () => {
      for (const value of VALUES) {
        const valueTwo = value & 0x80000001n
        const program = compileSeccomp(
          spec([{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 3, value, valueTwo, op }] }]),
          'x64',
        )
        for (const argument of VALUES) {
          const expected = holds(argument, value, valueTwo) ? ALLOW : EPERM
          assert.equal(answer(program, 'read', [9n, 9n, 9n, argument]), expected, `${argument} ${op} ${value}`)
        }
      }
    })
  }

  it('conditions on different arguments must all hold, those on one argument are alternatives', () => {
    const equal = (index: number, value: number): NonNullable<SeccompRule['args']>[number] => ({ index, value, op: 'SCMP_CMP_EQ' })
    const both = compileSeccomp(spec([{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [equal(0, 1), equal(1, 2)] }]), 'x64')
    assert.equal(answer(both, 'read', [1n, 2n]), ALLOW)
    assert.equal(answer(both, 'read', [1n, 3n]), EPERM)
    const either = compileSeccomp(spec([{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [equal(0, 1), equal(0, 2)] }]), 'x64')
    for (const [value, expected] of [
      [1n, ALLOW],
      [2n, ALLOW],
      [3n, EPERM],
    ] as const) {
      assert.equal(answer(either, 'read', [value]), expected)
    }
  })

  it('the first unconditional rule is final and replaces conditional ones before it', () => {
    const conditional: SeccompRule = { names: ['read'], action: 'SCMP_ACT_TRAP', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }
    const allow: SeccompRule = { names: ['read'], action: 'SCMP_ACT_ALLOW' }
    const kill: SeccompRule = { names: ['read'], action: 'SCMP_ACT_KILL_PROCESS' }
    assert.equal(answer(compileSeccomp(spec([conditional, allow, kill]), 'x64'), 'read', [1n]), ALLOW)
    assert.equal(answer(compileSeccomp(spec([allow, conditional]), 'x64'), 'read', [1n]), ALLOW)
    assert.equal(answer(compileSeccomp(spec([conditional]), 'x64'), 'read', [1n]), 0x00030000)
  })

  it('actions and errno become the return values of the kernel', () => {
    const values: [string, number | undefined, number][] = [
      ['SCMP_ACT_KILL', undefined, KILL],
      ['SCMP_ACT_KILL_PROCESS', undefined, 0x80000000],
      ['SCMP_ACT_TRAP', undefined, 0x00030000],
      ['SCMP_ACT_ERRNO', 99, 0x00050063],
      ['SCMP_ACT_TRACE', 7, 0x7ff00007],
      ['SCMP_ACT_LOG', undefined, 0x7ffc0000],
    ]
    for (const [action, errnoRet, expected] of values) {
      const rule = { names: ['read'], action, ...(errnoRet !== undefined && { errnoRet }) }
      assert.equal(answer(compileSeccomp(spec([rule], { defaultAction: 'SCMP_ACT_ALLOW' }), 'x64'), 'read'), expected)
    }
  })

  it('calls newer than the profile get ENOSYS where it refuses by default, and nothing special where it allows', () => {
    const strict = compileSeccomp(spec([{ names: ['read', 'statx'], action: 'SCMP_ACT_ALLOW' }]), 'x64')
    assert.equal(answer(strict, 'io_uring_setup'), ENOSYS)
    assert.equal(answer(strict, 'bpf'), EPERM)
    const lax = compileSeccomp(spec([{ names: ['read'], action: 'SCMP_ACT_ERRNO' }], { defaultAction: 'SCMP_ACT_ALLOW' }), 'x64')
    assert.equal(answer(lax, 'io_uring_setup'), ALLOW)
  })

  it('an architecture that is not listed is killed, x32 calls among them', () => {
    const native = compileSeccomp(spec([{ names: ['read'], action: 'SCMP_ACT_ERRNO' }], { defaultAction: 'SCMP_ACT_ALLOW' }), 'x64')
    assert.equal(interpret(native, { audit: AUDIT_I386, number: 3 }).value, KILL)
    assert.equal(interpret(native, { audit: AUDIT_X86_64, number: 0x40000000 }).value, KILL)
    assert.equal(interpret(native, { audit: AUDIT_X86_64, number: 0xffffffff }).value, ALLOW, 'a call cancelled by a tracer')
    const arm = compileSeccomp(spec([{ names: ['read'], action: 'SCMP_ACT_ALLOW' }], { architectures: ['SCMP_ARCH_AARCH64'] }), 'arm64')
    assert.equal(interpret(arm, { audit: AUDIT_AARCH64, number: number('read', AARCH64) }).value, ALLOW)
    assert.equal(interpret(arm, { audit: AUDIT_X86_64, number: 0 }).value, KILL)
  })

  it('x32 calls have numbers of their own', () => {
    const architectures = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']
    const program = compileSeccomp(spec([{ names: ['rt_sigaction', 'getpid'], action: 'SCMP_ACT_ALLOW' }], { architectures }), 'x64')
    const x32 = (nr: number): number => interpret(program, { audit: AUDIT_X86_64, number: 0x40000000 + nr }).value
    assert.equal(x32(512), ALLOW)
    assert.equal(x32(13), EPERM, 'the native number of rt_sigaction')
    assert.equal(x32(39), ALLOW)
    assert.equal(x32(600), ENOSYS)
  })

  it('on i386 a rule for a socket or IPC call holds for the multiplexed way in too', () => {
    const program = compileSeccomp(
      spec([{ names: ['connect', 'shmget'], action: 'SCMP_ACT_ERRNO' }], {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86'],
      }),
      'x64',
    )
    const i386 = (name: string, selector: bigint): number =>
      interpret(program, { audit: AUDIT_I386, number: number(name, I386), args: [selector] }).value
    assert.equal(i386('connect', 0n), EPERM)
    assert.equal(i386('socketcall', 3n), EPERM)
    assert.equal(i386('socketcall', 1n), ALLOW)
    assert.equal(i386('ipc', 0x10017n), EPERM, 'selector 23 with a version')
    assert.equal(i386('ipc', 1n), ALLOW)
  })

  it('jumps reach targets farther than 255 instructions away', () => {
    const names = [...X86_64.keys()].filter((name) => number(name) < 300)
    const program = compileSeccomp(
      spec(
        names.map((name, index) => ({
          names: [name],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 100 + index,
          args: [{ index: 5, value: 0x1_0000_0000 * index, op: 'SCMP_CMP_EQ' }],
        })),
      ),
      'x64',
    )
    for (const [index, name] of names.entries()) {
      const args = [0n, 0n, 0n, 0n, 0n, BigInt(0x1_0000_0000 * index)]
      assert.equal(answer(program, name, args), 0x00050000 | (100 + index), name)
      assert.equal(answer(program, name, [0n, 0n, 0n, 0n, 0n, 7n]), EPERM, name)
    }
  })

  it('refuses what it does not know', () => {
    const refused = (syscalls: SeccompRule[], message: string | RegExp): void =>
      assert.throws(() => compileSeccomp(spec(syscalls), 'x64'), { message })
    refused([{ names: ['read'], action: 'SCMP_ACT_WAVE' }], 'string SCMP_ACT_WAVE is not a valid action for seccomp')
    refused([{ names: ['read'], action: 'SCMP_ACT_NOTIFY' }], /SCMP_ACT_NOTIFY is not supported/)
    const args = [{ index: 0, value: 1, op: 'SCMP_CMP_LIKE' }]
    refused([{ names: ['read'], action: 'SCMP_ACT_ALLOW', args }], 'string SCMP_CMP_LIKE is not a valid operator for seccomp')
    refused([{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] }], /argument index 6/)
  })
})
