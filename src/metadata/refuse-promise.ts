import { internal } from '#errors'

/** Guards a transaction against an async function: what it does after its first await would not belong to the transaction. */
export function refusePromise<T>(result: T): T {
  if (result instanceof Promise) {
    result.catch(() => {})
    throw internal('Cannot commit: the change of a transaction must be synchronous')
  }
  return result
}
