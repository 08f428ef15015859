import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FULL_CGROUP_SUPPORT, type CgroupSupport } from '#kernel'
import type { HostConfig } from '../configuration.ts'
import { discardUnsupported, parseNumberList } from './discard-unsupported.ts'
import { sampleHostConfig } from './sample-input.ts'

const NOTHING = Object.fromEntries(
  Object.entries(FULL_CGROUP_SUPPORT).map(([key, value]) => [key, typeof value === 'string' ? '' : false]),
) as unknown as CgroupSupport

const ASKED: Partial<HostConfig> = {
  memory: 1 << 26,
  memorySwap: 1 << 27,
  memoryReservation: 1 << 25,
  memorySwappiness: 10,
  oomKillDisable: true,
  pidsLimit: 5,
  cpuShares: 10,
  cpuPeriod: 1000,
  cpuQuota: 1000,
  cpusetCpus: '0',
  blkioWeight: 10,
  blkioWeightDevice: [{ path: '/dev/sda', weight: 10 }],
  blkioDeviceReadBps: [{ path: '/dev/sda', rate: 1 }],
  blkioDeviceWriteIOps: [{ path: '/dev/sda', rate: 1 }],
}

describe('discardUnsupported', () => {
  it('keeps everything where everything is there', () => {
    const limits = sampleHostConfig(ASKED)
    assert.deepEqual(discardUnsupported(limits, FULL_CGROUP_SUPPORT), { limits, warnings: [] })
  })

  it('discards each limit with its warning, and leaves its argument alone', () => {
    const asked = sampleHostConfig(ASKED)
    const { limits, warnings } = discardUnsupported(asked, NOTHING)
    assert.deepEqual(warnings, [
      'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
      'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
      'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
      'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
      'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
      'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.',
      'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
      'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
      'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
      'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
      'Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
      'Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.',
    ])
    const kept = { memorySwap: limits.memorySwap, memory: limits.memory, pidsLimit: limits.pidsLimit, cpusetCpus: limits.cpusetCpus }
    assert.deepEqual(kept, { memorySwap: -1, memory: 0, pidsLimit: undefined, cpusetCpus: '' })
    assert.equal(asked.memory, 1 << 26)
  })

  it('limits memory without swap where only swap is missing', () => {
    const { limits, warnings } = discardUnsupported(sampleHostConfig({ memory: 1 << 26, memorySwap: 1 << 27 }), {
      ...FULL_CGROUP_SUPPORT,
      swap: false,
    })
    assert.equal(limits.memorySwap, -1)
    assert.deepEqual(warnings, [
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    ])
  })

  it('warns of an OOM killer that is off without a limit, and is silent about what nobody wanted', () => {
    assert.match(
      discardUnsupported(sampleHostConfig({ oomKillDisable: true }), FULL_CGROUP_SUPPORT).warnings[0] ?? '',
      /^OOM killer is disabled/,
    )
    assert.deepEqual(discardUnsupported(sampleHostConfig({ oomKillDisable: false, pidsLimit: -1 }), NOTHING).warnings, [])
  })

  it('refuses --cpus without a scheduler, and CPUs and nodes that are not there', () => {
    const refused = (changes: Partial<HostConfig>, support: CgroupSupport, message: string): void =>
      assert.throws(() => discardUnsupported(sampleHostConfig(changes), support), { code: 'INVALID_ARGUMENT', message })
    refused(
      { nanoCpus: 1e9 },
      NOTHING,
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    )
    refused({ cpusetCpus: '2-4' }, FULL_CGROUP_SUPPORT, 'Requested CPUs are not available - requested 2-4, available: 0-3')
    refused({ cpusetMems: '1' }, FULL_CGROUP_SUPPORT, 'Requested memory nodes are not available - requested 1, available: 0')
    refused({ cpusetCpus: '0,x' }, FULL_CGROUP_SUPPORT, 'Invalid value 0,x for cpuset cpus')
  })
})

describe('parseNumberList', () => {
  it('reads ranges, and refuses what is none or too large', () => {
    assert.deepEqual(parseNumberList('0-2,7'), new Set([0, 1, 2, 7]))
    for (const text of ['', '3-1', '1-', 'a', '0-4000000000']) assert.equal(parseNumberList(text), undefined, text)
  })
})
