import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeProfile, resolveProfile, type ProfileHost } from './profile.ts'

const host: ProfileHost = { capabilities: ['CAP_SYS_ADMIN', 'CAP_BPF'], machine: 'x64', kernel: '6.1.0-18-amd64' }

function namesOf(profile: object, more: Partial<ProfileHost> = {}): string[] {
  const decoded = decodeProfile(JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', ...profile }))
  return (resolveProfile(decoded, { ...host, ...more })?.syscalls ?? []).flatMap(({ names }) => names)
}

describe('resolveProfile', () => {
  const action = 'SCMP_ACT_ALLOW'

  it('keeps a rule when all its capabilities are there, and leaves it out when any excluded one is', () => {
    const syscalls = [
      { names: ['a'], action, includes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } },
      { names: ['b'], action, includes: { caps: ['CAP_SYS_ADMIN', 'CAP_SYS_TIME'] } },
      { names: ['c'], action, excludes: { caps: ['CAP_SYS_TIME', 'CAP_BPF'] } },
      { names: ['d'], action, excludes: { caps: ['CAP_SYS_TIME'] } },
    ]
    assert.deepEqual(namesOf({ syscalls }), ['a', 'd'])
  })

  it('keeps a rule by architecture and kernel', () => {
    const syscalls = [
      { names: ['a'], action, includes: { arches: ['arm64'] } },
      { names: ['b'], action, excludes: { arches: ['amd64'] } },
      { names: ['c'], action, includes: { minKernel: '6.2' } },
      { names: ['d'], action, includes: { minKernel: '5.19' } },
    ]
    assert.deepEqual(namesOf({ syscalls }), ['d'])
    assert.deepEqual(namesOf({ syscalls }, { machine: 'arm64', kernel: '6.12' }), ['a', 'b', 'c', 'd'])
    assert.throws(() => namesOf({ syscalls: [{ names: ['a'], action, includes: { minKernel: 'new' } }] }), {
      message: 'invalid kernel version "new" in seccomp profile: expected "<kernel>.<major>"',
    })
  })

  it('takes the architectures of the map entry of this machine, or the plain list', () => {
    const archMap = [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
    ]
    const mapped = resolveProfile(decodeProfile(JSON.stringify({ defaultAction: action, archMap })), host)
    assert.deepEqual(mapped?.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'])
    const listed = resolveProfile(decodeProfile(JSON.stringify({ defaultAction: action, architectures: ['SCMP_ARCH_X86'] })), host)
    assert.deepEqual(listed?.architectures, ['SCMP_ARCH_X86'])
  })

  it('is no filter for an empty profile', () => {
    assert.equal(resolveProfile(decodeProfile('{}'), host), undefined)
  })
})

describe('decodeProfile', () => {
  it('takes the old single name, and 64-bit numbers without loss', () => {
    const text = `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW",
      "args":[{"index":0,"value":18446744073709551615,"valueTwo":5,"op":"SCMP_CMP_EQ"}]}]}`
    const [rule] = decodeProfile(text).syscalls
    assert.deepEqual(rule?.names, ['read'])
    assert.deepEqual(rule?.args, [{ index: 0, value: 0xffffffffffffffffn, valueTwo: 5, op: 'SCMP_CMP_EQ' }])
  })

  it('refuses malformed profiles', () => {
    const refused = (text: string, message: string | RegExp): void =>
      assert.throws(() => decodeProfile(text), { code: 'INVALID_ARGUMENT', message })
    refused('{', /^Decoding seccomp profile failed: /)
    refused('[]', 'Decoding seccomp profile failed: profile must be an object')
    refused('{"syscalls":{}}', 'Decoding seccomp profile failed: syscalls must be an array')
    refused('{"syscalls":[{"names":["a"]}]}', 'Decoding seccomp profile failed: action must be a string')
    refused('{"syscalls":[{"name":"a","names":["b"],"action":"x"}]}', /both 'name' and 'names' are specified/)
    refused('{"architectures":["A"],"archMap":[{"architecture":"B"}]}', /both 'architectures' and 'archMap' are specified/)
    refused('{"listenerPath":"/x"}', 'Decoding seccomp profile failed: listenerPath is not supported')
    refused('x'.repeat((1 << 20) + 1), /larger than 1048576 bytes/)
  })
})
