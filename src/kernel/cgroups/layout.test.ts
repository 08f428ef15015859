import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { detectCgroupLayout, directoriesOf, locateCgroup } from './layout.ts'

const V1 = `25 24 0:22 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
29 25 0:26 / /sys/fs/cgroup/net_cls rw,relatime - cgroup cgroup rw,net_cls`
const UNIFIED = '30 25 0:27 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw'
const V2 = '25 24 0:22 /../.. /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate'
const NAMED_ONLY = '28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd'

describe('detectCgroupLayout', () => {
  it('finds the mount of each v1 controller, shared ones twice', () => {
    assert.deepEqual(detectCgroupLayout(V1), {
      version: 1,
      mounts: {
        cpu: '/sys/fs/cgroup/cpu,cpuacct',
        cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
        memory: '/sys/fs/cgroup/memory',
        systemd: '/sys/fs/cgroup/systemd',
      },
    })
  })

  it('is version 1 beside a cgroup2 without controllers, and 2 when only the named hierarchy is v1', () => {
    const hybrid = detectCgroupLayout(`${V1}\n${UNIFIED}`)
    assert.equal(hybrid.version, 1)
    assert.equal(hybrid.version === 1 && hybrid.unified, '/sys/fs/cgroup/unified')
    assert.deepEqual(detectCgroupLayout(`${NAMED_ONLY}\n${UNIFIED}`), { version: 2, root: '/sys/fs/cgroup/unified' })
    assert.deepEqual(detectCgroupLayout(V2), { version: 2, root: '/sys/fs/cgroup' })
  })

  it('reads mount points with blanks, and the first mount of a hierarchy', () => {
    const text = '1 2 0:3 / /a\\040b rw - cgroup2 c rw\n1 2 0:3 / /other rw - cgroup2 c rw'
    assert.deepEqual(detectCgroupLayout(text), { version: 2, root: '/a b' })
  })
})

describe('locateCgroup', () => {
  it('puts a container below the parent in every hierarchy, each directory once', () => {
    const location = locateCgroup(detectCgroupLayout(V1), { parent: 'gantry', id: 'abc' })
    assert.deepEqual(directoriesOf(location), [
      '/sys/fs/cgroup/cpu,cpuacct/gantry/abc',
      '/sys/fs/cgroup/memory/gantry/abc',
      '/sys/fs/cgroup/systemd/gantry/abc',
    ])
  })

  it('does not let a parent lead out of the hierarchy', () => {
    const location = locateCgroup(detectCgroupLayout(V2), { parent: '../../etc', id: 'abc' })
    assert.deepEqual(location, { version: 2, directory: '/sys/fs/cgroup/etc/abc' })
  })
})
