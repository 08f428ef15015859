import assert from 'node:assert/strict'
import type { ContainerStats } from '#api'
import { it } from 'node:test'
import { statsView } from './stats-view.ts'

const cpu = (total: number, system: number): object => ({ cpu_usage: { total_usage: total }, system_cpu_usage: system, online_cpus: 2 })
const sample = {
  id: 'a'.repeat(64),
  name: '/web',
  pids_stats: { current: 3 },
  cpu_stats: cpu(2e9, 100e9),
  precpu_stats: cpu(1.5e9, 98e9),
  memory_stats: { usage: 12345678, stats: { inactive_file: 345678 }, limit: 268435456 },
  networks: { eth0: { rx_bytes: 1000, tx_bytes: 1 }, eth1: { rx_bytes: 48, tx_bytes: 2 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'Read', value: 1e6 },
      { op: 'write', value: 5 },
      { op: 'Discard', value: 9 },
    ],
  },
} as unknown as ContainerStats

it('statsView computes shares and sums', () => {
  assert.deepEqual(statsView('web', sample, true).toJSON(), {
    BlockIO: '1MB / 5B',
    CPUPerc: '50.00%',
    Container: 'web',
    ID: 'a'.repeat(12),
    MemPerc: '4.47%',
    MemUsage: '11.44MiB / 256MiB',
    Name: 'web',
    NetIO: '1.05kB / 3B',
    PIDs: '3',
  })
})

it('statsView shows dashes without a sample', () => {
  assert.partialDeepStrictEqual(statsView('web', undefined, true).toJSON(), { CPUPerc: '--', MemUsage: '-- / --', Name: '--', PIDs: '--' })
})
