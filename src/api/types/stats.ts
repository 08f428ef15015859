/** `GET /containers/{id}/stats`. Bytes and nanoseconds. Source: Engine API 1.55, ContainerStatsResponse. */

import type { Nullable } from './common.ts'

export interface BlkioEntry {
  major: number
  minor: number
  op: string
  value: number
}

export interface BlkioStats {
  io_service_bytes_recursive: Nullable<BlkioEntry[]>
  io_serviced_recursive: Nullable<BlkioEntry[]>
  io_queue_recursive: Nullable<BlkioEntry[]>
  io_service_time_recursive: Nullable<BlkioEntry[]>
  io_wait_time_recursive: Nullable<BlkioEntry[]>
  io_merged_recursive: Nullable<BlkioEntry[]>
  io_time_recursive: Nullable<BlkioEntry[]>
  sectors_recursive: Nullable<BlkioEntry[]>
}

export interface CpuStats {
  cpu_usage: { total_usage: number; percpu_usage?: number[]; usage_in_kernelmode: number; usage_in_usermode: number }
  system_cpu_usage?: number
  online_cpus?: number
  throttling_data: { periods: number; throttled_periods: number; throttled_time: number }
}

export interface MemoryStats {
  usage?: number
  max_usage?: number
  stats?: Record<string, number>
  failcnt?: number
  limit?: number
}

export interface NetworkStats {
  rx_bytes: number
  rx_packets: number
  rx_errors: number
  rx_dropped: number
  tx_bytes: number
  tx_packets: number
  tx_errors: number
  tx_dropped: number
}

export interface ContainerStats {
  id: string
  name: string
  os_type: string
  read: string
  preread: string
  pids_stats: { current?: number; limit?: number }
  blkio_stats: BlkioStats
  num_procs: number
  storage_stats: object
  cpu_stats: CpuStats
  precpu_stats: CpuStats
  memory_stats: MemoryStats
  networks?: Record<string, NetworkStats>
}
