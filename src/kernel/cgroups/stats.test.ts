import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import type { CgroupLocation } from './layout.ts'
import { readCgroupStats, readHostCpu } from './stats.ts'

const machineMemory = Number(/^MemTotal:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024

/** A temporary tree of files, gone when disposed. */
function tree(files: Record<string, string>): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'gantry-cgroup-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

describe('readCgroupStats', () => {
  it('reads the counters of v1', () => {
    using root = tree({
      'cpuacct/cpuacct.usage': '123456789\n',
      'cpuacct/cpuacct.usage_percpu': '100 200 \n',
      'cpuacct/cpuacct.stat': 'user 7\nsystem 3\n',
      'cpu/cpu.stat': 'nr_periods 10\nnr_throttled 2\nthrottled_time 5000\n',
      'memory/memory.usage_in_bytes': '4096\n',
      'memory/memory.max_usage_in_bytes': '8192\n',
      'memory/memory.failcnt': '1\n',
      'memory/memory.limit_in_bytes': '1048576\n',
      'memory/memory.stat': 'cache 1\nrss 2\nhierarchical_memory_limit 1048576\n',
      'pids/pids.current': '4\n',
      'pids/pids.max': 'max\n',
      'blkio/blkio.throttle.io_service_bytes_recursive': '8:0 Read 10\n8:0 Write 20\nTotal 30\n',
      'blkio/blkio.bfq.sectors_recursive': '8:0 99\n',
    })
    const at = (name: string): string => join(root.path, name)
    const location: CgroupLocation = {
      version: 1,
      directories: { cpu: at('cpu'), cpuacct: at('cpuacct'), memory: at('memory'), pids: at('pids'), blkio: at('blkio') },
    }
    const stats = readCgroupStats(location)
    assert.deepEqual(stats?.pids, { current: 4, limit: 0 })
    assert.deepEqual(stats?.cpu, {
      totalUsage: 123456789,
      perCpuUsage: [100, 200],
      kernel: 30_000_000,
      user: 70_000_000,
      throttling: { periods: 10, throttledPeriods: 2, throttledTime: 5000 },
    })
    assert.deepEqual(stats?.memory, {
      usage: 4096,
      maxUsage: 8192,
      failcnt: 1,
      limit: 1048576,
      stats: { cache: 1, rss: 2, hierarchical_memory_limit: 1048576 },
    })
    assert.deepEqual(stats?.blkio['io_service_bytes_recursive'], [
      { major: 8, minor: 0, op: 'read', value: 10 },
      { major: 8, minor: 0, op: 'write', value: 20 },
    ])
    assert.deepEqual(stats?.blkio['sectors_recursive'], [{ major: 8, minor: 0, op: '', value: 99 }])
    assert.deepEqual(stats?.blkio['io_queue_recursive'], [])
  })

  it('reads the counters of v2, where missing limits are those of the machine', () => {
    using root = tree({
      'c/cpu.stat': 'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 1\nthrottled_usec 7\n',
      'c/memory.current': '4096\n',
      'c/memory.peak': '9000\n',
      'c/memory.max': 'max\n',
      'c/memory.events': 'low 0\nmax 3\noom 1\noom_kill 1\n',
      'c/memory.stat': 'anon 5\nfile 6\n',
      'c/pids.current': '2\n',
      'c/pids.max': '50\n',
      'c/io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n',
    })
    const stats = readCgroupStats({ version: 2, directory: join(root.path, 'c') })
    assert.deepEqual(stats, {
      cgroupVersion: 2,
      pids: { current: 2, limit: 50 },
      cpu: {
        totalUsage: 30_000,
        perCpuUsage: [],
        kernel: 10_000,
        user: 20_000,
        throttling: { periods: 4, throttledPeriods: 1, throttledTime: 7000 },
      },
      memory: { usage: 4096, maxUsage: 9000, failcnt: 3, limit: machineMemory, stats: { anon: 5, file: 6 } },
      blkio: {
        io_service_bytes_recursive: [
          { major: 8, minor: 0, op: 'read', value: 1 },
          { major: 8, minor: 0, op: 'write', value: 2 },
        ],
      },
    })
  })

  it('is undefined when the cgroup is gone', () => {
    assert.equal(readCgroupStats({ version: 2, directory: '/nonexistent/cgroup' }), undefined)
  })
})

describe('readHostCpu', () => {
  it('adds user to softirq of all CPUs, in nanoseconds, and counts the CPUs', () => {
    const stat = 'cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 5\n'
    assert.deepEqual(readHostCpu(stat), { systemUsage: 280_000_000, onlineCpus: 2 })
  })
})
