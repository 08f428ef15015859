import type { ContainerStats } from '#api'
import { bytesSize, humanSize, shortId } from '#lib'
import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'

const SIZE_PRECISION = 3

export const STATS_LIST: ListFormat = {
  table: '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
  headers: {
    Container: 'CONTAINER',
    Name: 'NAME',
    ID: 'CONTAINER ID',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
}

/** A row of `docker stats`: what was asked for, and the last sample (undefined: none came in time). */
export function statsView(asked: string, sample: ContainerStats | undefined, truncate: boolean): View {
  const percent = (value: number): string => `${value.toFixed(2)}%`
  const pair = (a: number, b: number): string => `${humanSize(a, SIZE_PRECISION)} / ${humanSize(b, SIZE_PRECISION)}`
  return new View('*container.statsContext', {
    Container: () => asked,
    Name: () => (sample !== undefined && sample.name.length > 1 ? sample.name.slice(1) : '--'),
    ID: () => (truncate ? shortId(sample?.id ?? asked) : (sample?.id ?? asked)),
    CPUPerc: () => (sample === undefined ? '--' : percent(cpuPercent(sample))),
    MemUsage: () => (sample === undefined ? '-- / --' : `${bytesSize(memoryUsed(sample))} / ${bytesSize(sample.memory_stats.limit ?? 0)}`),
    MemPerc: () => (sample === undefined ? '--' : percent(memoryPercent(sample))),
    NetIO: () => (sample === undefined ? '--' : pair(...networkBytes(sample))),
    BlockIO: () => (sample === undefined ? '--' : pair(...blockBytes(sample))),
    PIDs: () => (sample === undefined ? '--' : String(sample.pids_stats.current ?? 0)),
  })
}

/** Share of one CPU between the two samples, so 200% is two CPUs busy. */
function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const system = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const cpus = now.online_cpus ?? now.cpu_usage.percpu_usage?.length ?? 0
  return system > 0 && used > 0 ? (used / system) * cpus * 100 : 0
}

/** Without file cache that is not in use: the name of the counter is cgroup v1's or v2's. */
function memoryUsed({ memory_stats: memory }: ContainerStats): number {
  const usage = memory.usage ?? 0
  const inactive = memory.stats?.['total_inactive_file'] ?? memory.stats?.['inactive_file'] ?? 0
  return inactive < usage ? usage - inactive : usage
}

function memoryPercent(sample: ContainerStats): number {
  const limit = sample.memory_stats.limit ?? 0
  return limit === 0 ? 0 : (memoryUsed(sample) / limit) * 100
}

function networkBytes(sample: ContainerStats): [number, number] {
  const networks = Object.values(sample.networks ?? {})
  return [networks.reduce((sum, { rx_bytes: bytes }) => sum + bytes, 0), networks.reduce((sum, { tx_bytes: bytes }) => sum + bytes, 0)]
}

function blockBytes(sample: ContainerStats): [number, number] {
  let read = 0
  let written = 0
  for (const { op, value } of sample.blkio_stats.io_service_bytes_recursive ?? []) {
    if (/^r/i.test(op)) read += value
    else if (/^w/i.test(op)) written += value
  }
  return [read, written]
}
