import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ResourcesSpec } from '#oci'
import { weightOfBlkio } from './blkio.ts'
import { weightOfShares } from './cpu.ts'
import type { CgroupLayout } from './layout.ts'
import { planCgroup } from './plan.ts'

const v1: CgroupLayout = {
  version: 1,
  mounts: { cpu: '/cg/cpu', cpuset: '/cg/cpuset', memory: '/cg/memory', blkio: '/cg/blkio', devices: '/cg/devices', pids: '/cg/pids' },
}
const v2: CgroupLayout = { version: 2, root: '/cg' }

/** `file=value` of all writes, a `?` behind optional ones. */
function writes(layout: CgroupLayout, resources: ResourcesSpec): string[] {
  const plan = planCgroup(layout, { parent: '/gantry', id: 'id', resources })
  return plan.writes.map(({ path, value, optional }) => {
    const prefix = layout.version === 2 ? '/cg/gantry/id/' : /^\/cg\/\w+\/gantry\/id\//.exec(path)?.[0]
    assert.ok(prefix !== undefined && path.startsWith(prefix), path)
    return `${path.slice(prefix.length)}=${value}${optional === true ? '?' : ''}`
  })
}

const MIB = 1 << 20

describe('planCgroup', () => {
  it('v1: makes and joins one directory per hierarchy', () => {
    const plan = planCgroup(
      { version: 1, mounts: { cpu: '/cg/cpu,cpuacct', cpuacct: '/cg/cpu,cpuacct', memory: '/cg/memory' } },
      {
        parent: '/gantry',
        id: 'id',
        resources: {},
      },
    )
    const directories = ['/cg/cpu,cpuacct/gantry/id', '/cg/memory/gantry/id']
    assert.deepEqual(plan, {
      version: 1,
      directories,
      writes: [],
      join: directories.map((directory) => `${directory}/tasks`),
      oomFile: '/cg/memory/gantry/id/memory.oom_control',
      remove: directories,
    })
  })

  it('v2: one directory, entered by clone3, with a device program where devices are restricted', () => {
    const plan = planCgroup(v2, { parent: '/gantry', id: 'id', resources: {} })
    assert.deepEqual(plan, {
      version: 2,
      directories: ['/cg/gantry/id'],
      writes: [],
      join: [],
      into: '/cg/gantry/id',
      oomFile: '/cg/gantry/id/memory.events',
      remove: ['/cg/gantry/id'],
    })
    const restricted = planCgroup(v2, { parent: '/gantry', id: 'id', resources: { devices: [{ allow: false, access: 'rwm' }] } })
    assert.ok(restricted.deviceProgram !== undefined)
  })

  it('leaves out limits of controllers that are not mounted', () => {
    assert.deepEqual(writes({ version: 1, mounts: { cpu: '/cg/cpu' } }, { memory: { limit: MIB }, cpu: { shares: 2 } }), ['cpu.shares=2'])
  })

  it('memory: limit, memory plus swap, reservation, swappiness, OOM killer', () => {
    const memory = { limit: 64 * MIB, swap: 96 * MIB, reservation: 32 * MIB, swappiness: 0, disableOOMKiller: true }
    assert.deepEqual(writes(v1, { memory }), [
      'memory.limit_in_bytes=67108864',
      'memory.memsw.limit_in_bytes=100663296',
      'memory.soft_limit_in_bytes=33554432',
      'memory.oom_control=1',
      'memory.swappiness=0',
    ])
    assert.deepEqual(writes(v2, { memory }), ['memory.max=67108864', 'memory.swap.max=33554432', 'memory.low=33554432'])
  })

  it('memory: unlimited and equal swap', () => {
    assert.deepEqual(writes(v1, { memory: { limit: MIB, swap: -1 } }), ['memory.limit_in_bytes=1048576', 'memory.memsw.limit_in_bytes=-1?'])
    assert.deepEqual(writes(v2, { memory: { limit: MIB, swap: -1 } }), ['memory.max=1048576', 'memory.swap.max=max?'])
    assert.deepEqual(writes(v2, { memory: { limit: MIB, swap: MIB } }), ['memory.max=1048576', 'memory.swap.max=0?'])
    assert.deepEqual(writes(v2, { memory: { limit: MIB } }), ['memory.max=1048576'])
    assert.deepEqual(writes(v2, { memory: { limit: -1 } }), ['memory.max=max', 'memory.swap.max=max?'])
    assert.throws(() => writes(v2, { memory: { swap: MIB } }), {
      code: 'INVALID_ARGUMENT',
      message: 'unable to set swap limit without memory limit',
    })
    assert.throws(() => writes(v2, { memory: { limit: 2, swap: 1 } }), { message: 'memory+swap limit should be >= memory limit' })
  })

  it('cpu: shares, quota and period, sets', () => {
    const cpu = { shares: 512, quota: 50_000, period: 25_000, cpus: '0-1', mems: '0' }
    assert.deepEqual(writes(v1, { cpu }), [
      'cpu.shares=512',
      'cpu.cfs_period_us=25000',
      'cpu.cfs_quota_us=50000',
      'cpuset.cpus=0-1',
      'cpuset.mems=0',
    ])
    assert.deepEqual(writes(v2, { cpu }), ['cpu.weight=59', 'cpu.max=50000 25000', 'cpuset.cpus=0-1', 'cpuset.mems=0'])
    assert.deepEqual(writes(v2, { cpu: { quota: 1000 } }), ['cpu.max=1000 100000'])
    assert.deepEqual(writes(v2, { cpu: { period: 1000 } }), ['cpu.max=max 1000'])
    assert.deepEqual(writes(v2, { cpu: { quota: -1 } }), ['cpu.max=max 100000'])
  })

  it('pids: a number, or none', () => {
    for (const layout of [v1, v2]) {
      assert.deepEqual(writes(layout, { pids: { limit: 5 } }), ['pids.max=5'])
      assert.deepEqual(writes(layout, { pids: { limit: -1 } }), ['pids.max=max'])
      assert.deepEqual(writes(layout, { pids: { limit: 0 } }), [])
    }
  })

  it('block devices: weight for either scheduler, throttles per device', () => {
    const device = { major: 8, minor: 16 }
    const blockIO = {
      weight: 500,
      weightDevice: [{ ...device, weight: 10 }],
      throttleReadBpsDevice: [{ ...device, rate: 1000 }],
      throttleWriteIOPSDevice: [{ ...device, rate: 0 }],
    }
    assert.deepEqual(writes(v1, { blockIO }), [
      'blkio.weight=500?',
      'blkio.bfq.weight=500?',
      'blkio.weight_device=8:16 10?',
      'blkio.bfq.weight_device=8:16 10?',
      'blkio.throttle.read_bps_device=8:16 1000',
      'blkio.throttle.write_iops_device=8:16 0',
    ])
    assert.deepEqual(writes(v2, { blockIO }), [
      'io.bfq.weight=500?',
      'io.weight=4950?',
      'io.bfq.weight=8:16 10?',
      'io.max=8:16 rbps=1000',
      'io.max=8:16 wiops=max',
    ])
  })
})

describe('weightOfShares', () => {
  it('maps minimum, default and maximum to each other and grows in between', () => {
    assert.deepEqual([1, 2, 1024, 262_144, 1_000_000].map(weightOfShares), [1, 1, 100, 10_000, 10_000])
    let last = 0
    for (let shares = 2; shares <= 262_144; shares *= 2) {
      const weight = weightOfShares(shares)
      assert.ok(weight >= last, String(shares))
      last = weight
    }
  })
})

describe('weightOfBlkio', () => {
  it('maps minimum and maximum to each other', () => {
    assert.deepEqual([10, 500, 1000].map(weightOfBlkio), [1, 4950, 10_000])
  })
})
