import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseHardLimits, probeHostFacts, propagationIn } from './host-facts.ts'

const MOUNTINFO = `1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
2 1 8:2 / /srv rw - ext4 /dev/sda2 rw
3 2 8:3 / /srv/deep\\040er rw master:4 - ext4 /dev/sda3 rw
4 1 8:4 / /srv-other rw shared:9 - ext4 /dev/sda4 rw`

describe('propagationIn', () => {
  it('is that of the nearest mount above the path', () => {
    assert.deepEqual(propagationIn(MOUNTINFO, '/etc/x'), { mountPoint: '/', propagation: 'shared' })
    assert.deepEqual(propagationIn(MOUNTINFO, '/srv/data'), { mountPoint: '/srv', propagation: 'private' })
    assert.deepEqual(propagationIn(MOUNTINFO, '/srv/deep er'), { mountPoint: '/srv/deep er', propagation: 'slave' })
    assert.deepEqual(propagationIn(MOUNTINFO, '/srv-other/x'), { mountPoint: '/srv-other', propagation: 'shared' })
  })
})

describe('parseHardLimits', () => {
  it('reads the second column', () => {
    const text =
      'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\nMax core file size  0  unlimited  bytes'
    assert.deepEqual(parseHardLimits(text), { RLIMIT_CORE: Infinity, RLIMIT_NOFILE: 4096 })
  })
})

describe('probeHostFacts', () => {
  it('finds devices of this machine', () => {
    const host = probeHostFacts()
    assert.deepEqual(
      host.devicesAt('/dev/null')?.map(({ type, path, major, minor }) => ({ type, path, major, minor })),
      [{ type: 'c', path: '', major: 1, minor: 3 }],
    )
    assert.equal(host.devicesAt('/dev/there is no such device'), undefined)
    assert.deepEqual(host.devicesAt('/proc/self/status'), [])
    const paths = host.allDevices().map(({ path }) => path)
    assert.ok(paths.includes('/dev/null'))
    assert.equal(
      paths.some((path) => path.startsWith('/dev/pts/') || path === '/dev/console'),
      false,
    )
  })
})
