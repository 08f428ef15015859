import type { Cli } from '../cli.ts'
import { errorText } from '../errors.ts'

/** Requests under way at the same time. */
const PARALLEL = 50

/**
 * Runs `operation` for every name, many at a time, and prints the names that succeeded in the order given. Throws Error with all failures,
 * one per line, after everything was tried; those that `isHarmless` accepts are told at once and do not count.
 */
export async function forEachName(
  cli: Cli,
  names: readonly string[],
  operation: (name: string) => Promise<unknown>,
  isHarmless: (error: unknown) => boolean = () => false,
): Promise<void> {
  const running: Promise<unknown>[] = []
  const failures: string[] = []
  for (let at = 0; at < names.length; at++) {
    for (let ahead = running.length; ahead < Math.min(names.length, at + PARALLEL); ahead++) {
      const started = operation(names[ahead] ?? '')
      started.catch(() => {}) // awaited below, in its turn
      running.push(started)
    }
    try {
      await running[at]
      cli.print(names[at] ?? '')
    } catch (error) {
      if (isHarmless(error)) cli.warn(errorText(error))
      else failures.push(errorText(error))
    }
  }
  if (failures.length > 0) throw new Error(failures.join('\n'))
}
