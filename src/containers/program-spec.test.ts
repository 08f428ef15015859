import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FULL_CGROUP_SUPPORT } from '#kernel'
import { programSpec, type ProgramRequest } from './program-spec.ts'
import { sampleHost } from './spec/sample-input.ts'
import { testBench } from './testing/fake-deps.ts'

const REQUEST: ProgramRequest = {
  id: 'c0ffee',
  args: ['/bin/sh', '-c', 'make'],
  env: ['HOSTNAME', 'A=1'],
  workingDir: '/src',
  hostname: 'sandbox',
  tty: false,
  user: { uid: 1000, gid: 100, additionalGids: [], home: '/home/me' },
  hostConfig: { networkMode: 'none', memory: 1 << 20 },
  hostnamePath: '',
  hostsPath: '/names/hosts',
  resolvConfPath: '',
}

describe('programSpec', () => {
  using bench = testBench()
  const cgroups = { version: 2 as const, root: '/sys/fs/cgroup' }
  const machine = { defaults: bench.deps.defaults(), host: sampleHost(), cgroups, support: FULL_CGROUP_SUPPORT }

  it('makes of a program what a container of docker run would be', () => {
    const { spec, cgroup, warnings } = programSpec(REQUEST, machine)
    assert.deepEqual(spec.process.args, REQUEST.args)
    assert.equal(spec.process.cwd, '/src')
    assert.deepEqual([spec.process.user.uid, spec.process.user.gid], [1000, 100])
    assert.ok(spec.process.env?.includes('A=1') && spec.process.env.includes('HOME=/home/me'))
    assert.ok(!spec.process.env.some((entry) => entry.startsWith('HOSTNAME=')))
    assert.equal(spec.linux.cgroupsPath, '/gantry-test/c0ffee')
    assert.equal(spec.linux.resources?.memory?.limit, 1 << 20)
    assert.ok(spec.linux.maskedPaths?.includes('/proc/kcore'))
    assert.ok(spec.linux.namespaces.some(({ type }) => type === 'network'))
    assert.ok(cgroup.directories.some((directory) => directory.endsWith('/gantry-test/c0ffee')))
    assert.deepEqual(warnings, [])
  })

  it('mounts the files with its names that there are', () => {
    const { mounts } = programSpec(REQUEST, machine).spec
    assert.deepEqual(
      mounts.filter(({ destination }) => destination.startsWith('/etc/')).map(({ destination, source }) => [destination, source]),
      [['/etc/hosts', '/names/hosts']],
    )
  })

  it('refuses CPUs that are not there, and leaves out limits that are not enforced here, in words of Docker', () => {
    const limited = (hostConfig: ProgramRequest['hostConfig'], support = FULL_CGROUP_SUPPORT): string[] =>
      programSpec({ ...REQUEST, hostConfig }, { ...machine, support: { ...support, cpus: '0-3' } }).warnings
    assert.throws(() => limited({ cpusetCpus: '999' }), /^EngineError: Requested CPUs are not available - requested 999, available: 0-3$/)
    assert.throws(() => limited({ cpusetCpus: 'x' }), /Invalid value x for cpuset cpus/)
    assert.deepEqual(limited({ cpuShares: 2 }, { ...FULL_CGROUP_SUPPORT, cpuShares: false }), [
      'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.',
    ])
  })

  it('gives all rights to a privileged one', () => {
    const { linux, process } = programSpec({ ...REQUEST, hostConfig: { privileged: true } }, machine).spec
    assert.equal(linux.seccomp, undefined)
    assert.deepEqual(linux.maskedPaths, [])
    assert.ok(process.capabilities?.bounding.includes('CAP_SYS_ADMIN'))
  })
})
