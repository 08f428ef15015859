import { readFileSync } from 'node:fs'
import { formatNano } from '#lib'
import { readCgroupStats, readHostCpu, type CgroupLocation, type CgroupStats } from '#kernel'
import type { Clock } from './context.ts'
import { isActive, ZERO_TIME } from './state.ts'
import type { Container, StatsSample } from './types.ts'

/** Docker's; clients compute percentages per sample and expect about one a second. */
const INTERVAL_MS = 1000

/** Where the counters come from; the kernel's unless a test says otherwise. */
export interface StatsSource {
  cgroup(location: CgroupLocation): CgroupStats | undefined
  hostCpu(): { systemUsage: number; onlineCpus: number }
  /** Text of /proc/<pid>/net/dev: the interfaces of the process's network namespace. */
  netDev(pid: number): string
}

export interface StatsDeps {
  /** The container as it is now; undefined once it is removed. */
  current: () => Container | undefined
  location: (container: Container) => CgroupLocation
  clock: Clock
  source?: StatsSource
}

export interface StatsPair {
  current: StatsSample
  previous?: StatsSample
}

const KERNEL: StatsSource = {
  cgroup: readCgroupStats,
  hostCpu: readHostCpu,
  netDev: (pid) => readFileSync(`/proc/${pid}/net/dev`, 'utf8'),
}

/**
 * Samples of one container. `stream`: one a second, each with the one before it, until the container is removed or the signal aborts; while it does not
 * run they are all zero. Else one: with `oneShot` (or when it does not run) at once and alone, otherwise after a second, together with a first one, so
 * that the client can compute a rate.
 */
export async function* containerStats(
  options: { stream: boolean; oneShot: boolean },
  deps: StatsDeps,
  signal?: AbortSignal,
): AsyncGenerator<StatsPair, void, void> {
  let previous: StatsSample | undefined
  for (;;) {
    const container = deps.current()
    if (container === undefined || signal?.aborted === true) return
    const current = sample(container, deps)
    const isLast = !options.stream && (options.oneShot || previous !== undefined || !current.running)
    if (options.stream || isLast) yield pair(current, previous)
    if (isLast) return
    previous = current
    await pause(deps.clock, signal)
  }
}

function pair(current: StatsSample, previous: StatsSample | undefined): StatsPair {
  return previous === undefined ? { current } : { current, previous }
}

function pause(clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer[Symbol.dispose]()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.after(INTERVAL_MS, end)
    signal?.addEventListener('abort', end)
    if (signal?.aborted === true) end()
  })
}

function sample(container: Container, { location, clock, source = KERNEL }: StatsDeps): StatsSample {
  const { state } = container
  // A process may end between the look at the record and the look at its counters.
  const stats = isActive(state) ? source.cgroup(location(container)) : undefined
  if (!isActive(state) || stats === undefined) return idleSample(container)
  return {
    ...identity(container),
    ...stats,
    read: formatNano(clock.now()),
    running: true,
    cpu: { ...stats.cpu, ...source.hostCpu() },
    networks: container.hostConfig.networkMode === 'host' ? {} : networks(source, state.pid),
  }
}

function identity({ id, name }: Container): Pick<StatsSample, 'id' | 'name' | 'osType'> {
  return { id, name, osType: 'linux' }
}

/** What Docker answers for a container that does not run. */
function idleSample(container: Container): StatsSample {
  return {
    ...identity(container),
    read: ZERO_TIME,
    running: false,
    cgroupVersion: 1,
    pids: { current: 0, limit: 0 },
    cpu: {
      totalUsage: 0,
      perCpuUsage: [],
      kernel: 0,
      user: 0,
      systemUsage: 0,
      onlineCpus: 0,
      throttling: { periods: 0, throttledPeriods: 0, throttledTime: 0 },
    },
    memory: { usage: 0, maxUsage: 0, failcnt: 0, limit: 0, stats: {} },
    blkio: {},
    networks: {},
  }
}

function networks(source: StatsSource, pid: number): StatsSample['networks'] {
  try {
    return parseNetDev(source.netDev(pid))
  } catch {
    return {} // the process has ended meanwhile
  }
}

/** Interfaces of /proc/net/dev (proc_pid_net(5)), loopback left out as Docker does. */
export function parseNetDev(text: string): StatsSample['networks'] {
  const found: StatsSample['networks'] = {}
  for (const line of text.split('\n')) {
    const match = /^\s*([^:\s]+):\s*(.*)$/.exec(line)
    const name = match?.[1]
    if (name === undefined || name === 'lo') continue
    const column = (match?.[2] ?? '').split(/\s+/).map(Number)
    const value = (index: number): number => column[index] ?? 0
    found[name] = {
      rxBytes: value(0),
      rxPackets: value(1),
      rxErrors: value(2),
      rxDropped: value(3),
      txBytes: value(8),
      txPackets: value(9),
      txErrors: value(10),
      txDropped: value(11),
    }
  }
  return found
}
