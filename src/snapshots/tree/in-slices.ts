import { setImmediate } from 'node:timers/promises'

/** Milliseconds of work after which others get their turn. */
const SLICE = 5

/** Items of a synchronous walk, with pauses for the rest of the daemon: a tree of 100,000 files takes a second of system calls. */
export async function* inSlices<T>(items: Iterable<T>): AsyncGenerator<T, void, void> {
  let started = performance.now()
  for (const item of items) {
    yield item
    if (performance.now() - started < SLICE) continue
    await setImmediate()
    started = performance.now()
  }
}
