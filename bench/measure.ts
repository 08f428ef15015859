import { readFileSync } from 'node:fs'

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Runs `work` `count` times after `warm` unmeasured times, one after the other; milliseconds of each. */
export async function repeat(count: number, warm: number, work: () => Promise<unknown>): Promise<number[]> {
  for (let i = 0; i < warm; i++) await work()
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await timed(work))
  return times
}

/** Runs `work` `count` times by `clients` at once; runs per second. */
export async function parallel(count: number, clients: number, work: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const total = await timed(() =>
    Promise.all(
      Array.from({ length: clients }, async () => {
        while (next < count) await work(next++)
      }),
    ),
  )
  return (count / total) * 1000
}

/** Milliseconds of CPU the whole machine has spent, from /proc/stat (user, nice, system, irq, softirq). */
export function machineCpu(): number {
  const [, user, nice, system, , , irq, softirq] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).map(Number)
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0)) * 10
}

/** Proportional set size of the processes, in KiB (proc_pid_smaps_rollup). */
export function pss(pids: readonly number[]): number {
  let total = 0
  for (const pid of pids) {
    try {
      total += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
    } catch {
      // The process ended meanwhile.
    }
  }
  return total
}
