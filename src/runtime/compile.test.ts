/** Goldens in `testdata/`; `node src/runtime/compile.test.ts --update` writes them anew. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RuntimeSpec } from '#oci'
import { compileExec } from './compile-exec.ts'
import { compileHold, compileLaunch } from './compile.ts'
import { dumpPlan } from './dump-plan.ts'
import type { Plan } from './plan-writer.ts'
import type { ExecSpec, LaunchSpec } from './types.ts'

const ID = 'c0ffee'.padEnd(64, '0')
const FILTER = Buffer.from('06000000ffff0000', 'hex')

const SPEC: RuntimeSpec = {
  ociVersion: '1.2.1',
  process: {
    user: { uid: 0, gid: 0, additionalGids: [0, 10] },
    args: ['nginx', '-g', 'daemon off;'],
    env: ['PATH=/usr/bin:/bin', 'A=ü'],
    cwd: '/work',
    capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'], inheritable: [], ambient: [] },
    oomScoreAdj: 0,
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: -1 }],
  },
  root: { path: 'rootfs' },
  hostname: 'web',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
    { destination: '/data/', type: 'bind', source: '/var/lib/gantry/volumes/v/_data', options: ['rbind', 'ro', 'rprivate'] },
    { destination: '/scratch', type: 'tmpfs', source: 'tmpfs', options: ['noexec'] },
  ],
  linux: {
    namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'uts' }, { type: 'ipc' }, { type: 'network' }, { type: 'cgroup' }],
    devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o600 }],
    sysctl: { 'net.ipv4.ip_forward': '1' },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO', flags: ['SECCOMP_FILTER_FLAG_LOG'] },
  },
}

const LAUNCH: LaunchSpec = {
  id: ID,
  stateDir: `/run/gantry/tasks/${ID}`,
  spec: SPEC,
  rootfs: {
    overlay: {
      cwd: '/var/lib/gantry',
      lower: ['layers/2/diff', 'layers/1:odd/diff'],
      upper: 'snapshots/k/upper',
      work: 'snapshots/k/work',
    },
  },
  cgroup: {
    version: 1,
    directories: ['/sys/fs/cgroup/memory/gantry/c', '/sys/fs/cgroup/cpu,cpuacct/gantry/c'],
    writes: [{ path: '/sys/fs/cgroup/memory/gantry/c/memory.limit_in_bytes', value: '1048576', optional: true }],
    join: ['/sys/fs/cgroup/memory/gantry/c/tasks', '/sys/fs/cgroup/cpu,cpuacct/gantry/c/tasks'],
    oomFile: '/sys/fs/cgroup/memory/gantry/c/memory.oom_control',
    remove: ['/sys/fs/cgroup/memory/gantry/c'],
  },
  network: {
    mode: 'new',
    host: [{ bytes: Buffer.from('0102030405060708', 'hex'), pidOffsets: [4] }],
    inside: [Buffer.from('090a', 'hex')],
    sysctls: [{ path: '/proc/sys/net/ipv6/conf/eth0/disable_ipv6', value: '1' }],
    reserve: [{ family: 4, protocol: 'tcp', address: '127.0.0.1', port: 8080 }],
  },
  stdio: {
    tty: false,
    openStdin: true,
    stdinOnce: true,
    log: { driver: 'json-file', path: '/var/lib/gantry/containers/c/c-json.log', maxSize: 10_000_000, maxFile: 3, extra: '' },
  },
}

const V2: LaunchSpec = {
  ...LAUNCH,
  init: true,
  spec: {
    ...SPEC,
    process: { ...SPEC.process, noNewPrivileges: true, consoleSize: { height: 24, width: 80 }, apparmorProfile: 'docker-default' },
    root: { path: 'rootfs', readonly: true },
    linux: {
      ...SPEC.linux,
      namespaces: [{ type: 'mount' }, { type: 'cgroup' }, { type: 'ipc', path: '/proc/7/ns/ipc' }],
      rootfsPropagation: 'shared',
    },
  },
  cgroup: {
    version: 2,
    directories: ['/sys/fs/cgroup/gantry/c'],
    writes: [],
    join: [],
    into: '/sys/fs/cgroup/gantry/c',
    remove: ['/sys/fs/cgroup/gantry/c'],
  },
  network: { mode: 'join', path: '/proc/8/ns/net' },
  stdio: { tty: true, openStdin: false, stdinOnce: false, log: { driver: 'none' } },
}

const EXEC: ExecSpec = {
  id: ID,
  stateDir: '/run/gantry/tasks/exec',
  targetPid: 4711,
  process: { user: { uid: 33, gid: 33 }, args: ['sh'], env: [], cwd: '/', consoleSize: { height: 5, width: 6 } },
  cgroup: { version: 1, join: ['/sys/fs/cgroup/memory/gantry/c/tasks'] },
  stdio: { tty: true, openStdin: true, stdinOnce: false },
}

function golden(name: string, plan: Plan): void {
  const path = join(import.meta.dirname, 'testdata', `${name}.plan`)
  const text = dumpPlan(plan.bytes)
  if (process.argv.includes('--update')) writeFileSync(path, text)
  assert.equal(text, readFileSync(path, 'utf8'))
  assert.equal(plan.operations.length, text.split('\n').length - 1)
}

test('compileLaunch of a container on cgroup v1 with a bridge network', () => {
  golden(
    'launch-v1',
    compileLaunch(LAUNCH, () => FILTER),
  )
})

test('compileLaunch of a container on cgroup v2 with terminal, init, shared namespaces, no new privileges', () => {
  golden(
    'launch-v2',
    compileLaunch(V2, () => FILTER),
  )
})

test('compileExec joins everything of the target', () => {
  golden(
    'exec',
    compileExec(EXEC, () => FILTER),
  )
})

test('compileHold mounts root and binds only', () => {
  golden('hold', compileHold(LAUNCH))
})

test('compileLaunch makes nothing in a /dev that the user has bound', () => {
  const mounts = [{ destination: '/dev', type: 'bind', source: '/dev', options: ['rbind'] }]
  const text = dumpPlan(compileLaunch({ ...LAUNCH, spec: { ...SPEC, mounts } }, () => FILTER).bytes)
  assert.doesNotMatch(text, /mknod|symlink/)
})

test('compileLaunch compiles the same bytes from the same spec', () => {
  const [first, second] = [0, 1].map(() => compileLaunch(LAUNCH, () => FILTER).bytes)
  assert.deepEqual(first, second)
})

test('compileLaunch refuses what it cannot do', () => {
  function refused(linux: Partial<RuntimeSpec['linux']>, spec: Partial<RuntimeSpec> = {}): () => void {
    return () => compileLaunch({ ...LAUNCH, spec: { ...SPEC, ...spec, linux: { ...SPEC.linux, ...linux } } }, () => FILTER)
  }
  assert.throws(refused({ namespaces: [{ type: 'user' }, { type: 'mount' }] }), { code: 'NOT_IMPLEMENTED' })
  assert.throws(refused({ namespaces: [{ type: 'pid' }] }), { code: 'INVALID_ARGUMENT' })
  assert.throws(refused({ sysctl: { 'net/../kernel/x': '1' } }), { code: 'INVALID_ARGUMENT' })
  assert.throws(refused({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_NEW'] } }), { code: 'INVALID_ARGUMENT' })
  assert.throws(refused({}, { process: { ...SPEC.process, args: [] } }), { code: 'INVALID_ARGUMENT' })
  assert.throws(refused({}, { process: { ...SPEC.process, args: ['a\0b'] } }), { code: 'INVALID_ARGUMENT' })
  assert.throws(refused({}, { process: { ...SPEC.process, rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] } }), {
    code: 'INVALID_ARGUMENT',
  })
})

test('compileLaunch refuses layers that do not fit into one page of mount options', () => {
  const lower = Array.from({ length: 300 }, (_, index) => `layers/${index}/diff`)
  const rootfs = { overlay: { cwd: '/', lower, upper: 'u', work: 'w' } }
  assert.throws(() => compileLaunch({ ...LAUNCH, rootfs }, () => FILTER), /300 layers do not fit/)
})
