/**
 * Does `work` for all items at once. The first failure aborts the signal that the others are given, and is thrown when all have ended: nothing goes on behind
 * the caller's back.
 */
export async function inParallel<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const failures: unknown[] = []
  await Promise.all(
    items.map(async (item) => {
      try {
        await work(item, either)
      } catch (error) {
        failures.push(error)
        stop.abort(error)
      }
    }),
  )
  if (failures.length > 0) throw failures[0]
}
