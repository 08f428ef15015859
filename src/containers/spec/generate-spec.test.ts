import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { RuntimeSpec } from '#oci'
import { generateSpec } from './generate-spec.ts'
import { sampleInput, sampleMount, type SampleChanges } from './sample-input.ts'

function specOf(changes: SampleChanges = {}): RuntimeSpec {
  return generateSpec(sampleInput(changes)).spec
}

function mountAt(spec: RuntimeSpec, destination: string): string {
  const mount = spec.mounts.find((entry) => entry.destination === destination)
  return mount === undefined ? 'none' : `${mount.type} ${mount.source} ${mount.options.join(',')}`
}

/** Compares with a file in testdata; `node --test --test-update-snapshots` writes it. The filter, long and tested elsewhere, is left out. */
function golden(t: TestContext, name: string, changes: SampleChanges): void {
  const spec = specOf(changes)
  delete spec.linux.seccomp
  t.assert.fileSnapshot(spec, join(import.meta.dirname, 'testdata', `${name}.json`))
}

describe('generateSpec', () => {
  it('gives a container without options what Docker gives it', (t) => golden(t, 'default', {}))

  it('gives a privileged container the whole machine', (t) =>
    golden(t, 'privileged', {
      hostConfig: {
        privileged: true,
        cgroupnsMode: 'host',
        devices: [{ pathOnHost: '/dev/null', pathInContainer: '/dev/nil', cgroupPermissions: 'r' }],
      },
    }))

  it('puts limits, devices and mounts where they belong', (t) =>
    golden(t, 'everything', {
      config: { tty: true, env: ['A=1', 'HOSTNAME', 'PATH=/bin'], workingDir: '/work', domainname: 'example.org' },
      hostConfig: {
        memory: 1 << 26,
        memorySwap: 1 << 27,
        memoryReservation: 1 << 25,
        nanoCpus: 1_500_000_000,
        cpusetCpus: '0-1',
        pidsLimit: 100,
        blkioWeight: 300,
        blkioDeviceReadBps: [{ path: '/dev/sda', rate: 1024 }],
        devices: [
          { pathOnHost: '/dev/sda', pathInContainer: '/dev/xvda', cgroupPermissions: 'r' },
          { pathOnHost: '/dev/snd', pathInContainer: '/dev/sound', cgroupPermissions: 'rwm' },
        ],
        deviceCgroupRules: ['c 42:* rmw'],
        capAdd: ['NET_ADMIN'],
        capDrop: ['MKNOD'],
        oomScoreAdj: 500,
        ulimits: [{ name: 'nofile', soft: 1024, hard: 2048 }],
        sysctls: { 'net.ipv4.ip_unprivileged_port_start': '1024', 'kernel.shmmax': '5' },
        annotations: { 'org.example.key': 'value' },
        tmpfs: { '/scratch': 'size=1m,exec' },
        consoleSize: [24, 80],
        readonlyRootfs: true,
        securityOpt: ['no-new-privileges'],
      },
      mounts: [
        sampleMount('/data/deeper'),
        sampleMount('/data', { rw: false }),
        sampleMount('/mem', { type: 'tmpfs' }, { type: 'tmpfs', tmpfs: { sizeBytes: 1 << 20, mode: 0o1770, options: [['noexec']] } }),
      ],
      input: {
        user: { uid: 1000, gid: 100, additionalGids: [100, 27], home: '/home/u' },
        defaults: {
          cgroupParent: '/gantry',
          noNewPrivileges: false,
          ulimits: [
            { name: 'nofile', soft: 1, hard: 1 },
            { name: 'core', soft: -1, hard: -1 },
          ],
          defaultSeccomp: undefined,
        },
      },
    }))

  it('has a user other than root start without capabilities in use', () => {
    const { capabilities } = specOf({ input: { user: { uid: 5, gid: 5, additionalGids: [], home: '' } } }).process
    assert.equal(capabilities?.bounding.length, 14)
    assert.deepEqual([capabilities?.effective, capabilities?.permitted, capabilities?.ambient], [[], [], []])
  })

  it('joins, shares and makes namespaces as asked', () => {
    const types = (changes: SampleChanges): string[] =>
      specOf(changes).linux.namespaces.map(({ type, path }) => (path === undefined ? type : `${type}=${path}`))
    assert.deepEqual(types({}), ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'])
    const host = { networkMode: 'host', utsMode: 'host', pidMode: 'host', ipcMode: 'host', cgroupnsMode: 'host' } as const
    assert.deepEqual(types({ hostConfig: host }), ['mount'])
    const joined = { networkMode: 'container:a', pidMode: 'container:b', ipcMode: 'container:c' }
    const input = { peers: { network: 1, pid: 2, ipc: 3 }, shm: '/shm/c' }
    assert.deepEqual(types({ hostConfig: joined, input }), [
      'mount',
      'network=/proc/1/ns/net',
      'uts',
      'pid=/proc/2/ns/pid',
      'ipc=/proc/3/ns/ipc',
      'cgroup',
    ])
    assert.throws(() => types({ hostConfig: { pidMode: 'container:b' } }), {
      code: 'INVALID_ARGUMENT',
      message: /container b: it is not running/,
    })
    assert.equal(specOf({ hostConfig: { utsMode: 'host' } }).hostname, undefined)
  })

  it('sets the network sysctls of Docker in a new network namespace only', () => {
    const defaults = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }
    assert.deepEqual(specOf().linux.sysctl, defaults)
    assert.deepEqual(specOf({ hostConfig: { networkMode: 'none' } }).linux.sysctl, defaults)
    assert.deepEqual(specOf({ hostConfig: { networkMode: 'host' } }).linux.sysctl, {})
    assert.deepEqual(specOf({ host: { sysctlExists: () => false } }).linux.sysctl, {})
  })

  it('gives /dev/shm by ipc mode', () => {
    assert.equal(mountAt(specOf({ hostConfig: { shmSize: 1024 } }), '/dev/shm'), 'tmpfs shm nosuid,noexec,nodev,mode=1777,size=1024')
    assert.equal(mountAt(specOf({ hostConfig: { ipcMode: 'none' } }), '/dev/shm'), 'none')
    const shared = { hostConfig: { ipcMode: 'shareable' }, input: { shm: '/run/shm' } }
    assert.equal(mountAt(specOf(shared), '/dev/shm'), 'bind /run/shm rbind,rprivate')
  })

  it('lets a mount of the user replace one of the system', () => {
    const replaced = specOf({ mounts: [sampleMount('/dev'), sampleMount('/etc/hosts'), sampleMount('/sys/fs/cgroup')] })
    assert.equal(mountAt(replaced, '/dev'), 'bind /srv/data rbind,rprivate')
    assert.equal(mountAt(replaced, '/dev/pts'), 'none')
    assert.equal(replaced.mounts.filter(({ destination }) => destination === '/etc/hosts').length, 1)
    assert.equal(mountAt(replaced, '/etc/hosts'), 'bind /srv/data rbind,rprivate')
    assert.equal(mountAt(replaced, '/sys/fs/cgroup'), 'bind /srv/data rbind,rprivate')
  })

  it('makes read-only binds so with everything below where the kernel can', () => {
    const options = (spec: Parameters<typeof sampleMount>[2], recursiveReadOnly: boolean): string =>
      mountAt(specOf({ mounts: [sampleMount('/d', { rw: false }, spec)], host: { recursiveReadOnly } }), '/d').split(' ')[2] ?? ''
    const bind = {
      propagation: '',
      nonRecursive: false,
      createMountpoint: false,
      readOnlyNonRecursive: false,
      readOnlyForceRecursive: false,
    }
    assert.equal(options({}, true), 'rbind,rro,rprivate')
    assert.equal(options({}, false), 'rbind,ro,rprivate')
    assert.equal(options({ bind: { ...bind, readOnlyNonRecursive: true } }, true), 'rbind,ro,rprivate')
    assert.equal(options({ bind: { ...bind, nonRecursive: true } }, true), 'bind,ro,rprivate')
    assert.throws(() => options({ bind: { ...bind, readOnlyForceRecursive: true } }, false), { message: /requires kernel >= 5.12/ })
    assert.throws(() => options({ bind: { ...bind, readOnlyForceRecursive: true, readOnlyNonRecursive: true } }, true), {
      message: 'mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive',
    })
  })

  it('opens the root for propagation, and refuses what the mount of the source cannot do', () => {
    const root = (propagation: string, actual: 'shared' | 'slave' | 'private'): string | undefined =>
      specOf({
        mounts: [sampleMount('/d', { propagation })],
        host: { propagationOf: () => ({ mountPoint: '/srv', propagation: actual }) },
      }).linux.rootfsPropagation
    assert.equal(root('rprivate', 'private'), undefined)
    assert.equal(root('rshared', 'shared'), 'shared')
    assert.equal(root('rslave', 'slave'), 'slave')
    assert.throws(() => root('shared', 'slave'), { message: 'path /srv/data is mounted on /srv but it is not a shared mount' })
    assert.throws(() => root('rslave', 'private'), { message: 'path /srv/data is mounted on /srv but it is not a shared or slave mount' })
  })

  it('chooses the seccomp filter', () => {
    const action = (securityOpt: string[], privileged = false): string | undefined =>
      specOf({ hostConfig: { securityOpt, privileged } }).linux.seccomp?.defaultAction
    assert.equal(action([]), 'SCMP_ACT_ERRNO')
    assert.equal(action(['seccomp=unconfined']), undefined)
    assert.equal(action([], true), undefined)
    assert.equal(action(['seccomp={"defaultAction":"SCMP_ACT_LOG","syscalls":[]}'], true), 'SCMP_ACT_LOG')
    assert.equal(action(['seccomp=builtin'], true), 'SCMP_ACT_ERRNO')
  })

  it('protects paths, and leaves that out where the record or privilege says so', () => {
    const paths = (changes: SampleChanges): [number, number] => {
      const { maskedPaths, readonlyPaths } = specOf(changes).linux
      return [maskedPaths?.length ?? -1, readonlyPaths?.length ?? -1]
    }
    assert.deepEqual(paths({}), [12, 5])
    assert.deepEqual(paths({ host: { thermalThrottlePaths: ['/sys/x'] } }), [13, 5])
    assert.deepEqual(paths({ hostConfig: { maskedPaths: [], readonlyPaths: [] } }), [0, 0])
    assert.deepEqual(paths({ hostConfig: { privileged: true } }), [0, 0])
  })

  it('names AppArmor profiles only where the kernel has AppArmor', () => {
    const profile = (apparmor: boolean, hostConfig: SampleChanges['hostConfig'] = {}): string | undefined =>
      specOf({ hostConfig, host: { apparmor } }).process.apparmorProfile
    assert.equal(profile(false, { securityOpt: ['apparmor=mine'] }), undefined)
    assert.equal(profile(true, { securityOpt: ['apparmor=mine'] }), 'mine')
    assert.equal(profile(true, { privileged: true }), 'unconfined')
  })

  it('cuts ulimits to what the daemon may give, and says so', () => {
    const ulimits = [{ name: 'nofile', soft: 4096, hard: 1 << 20 }]
    const { spec, warnings } = generateSpec(sampleInput({ hostConfig: { ulimits }, host: { hardLimits: { RLIMIT_NOFILE: 20000 } } }))
    assert.deepEqual(spec.process.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 4096, hard: 20000 }])
    assert.match(warnings[0] ?? '', /^Ulimit nofile is lowered from 1048576 to 20000/)
  })
})
