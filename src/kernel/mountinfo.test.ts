import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseMountinfo } from './mountinfo.ts'

describe('parseMountinfo', () => {
  it('reads every field it names, with none, one or more optional fields', () => {
    const text = `36 35 98:0 /mnt1 /a\\040b rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw,errors=continue
37 35 0:5 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
`
    assert.deepEqual(parseMountinfo(text), [
      {
        root: '/mnt1',
        mountPoint: '/a b',
        optional: ['master:1', 'propagate_from:2'],
        type: 'ext3',
        source: '/dev/root',
        superOptions: ['rw', 'errors=continue'],
      },
      {
        root: '/',
        mountPoint: '/sys/fs/cgroup/cpu',
        optional: [],
        type: 'cgroup',
        source: 'cgroup',
        superOptions: ['rw', 'cpu', 'cpuacct'],
      },
    ])
  })
})
