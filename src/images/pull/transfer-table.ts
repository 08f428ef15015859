/** Somebody who waits for a transfer. `M`: what transfers tell about their progress. */
export interface Waiter<T, M> {
  signal?: AbortSignal
  report: (message: M) => void
  /** Called with the result before the transfer gives it up: the time to take a lease on it. */
  take: (result: T) => void
}

/** What a transfer is given: its signal aborts when nobody waits for it any more. */
export interface TransferContext<M> {
  signal: AbortSignal
  report: (message: M) => void
}

export type StartTransfer<T, M> = (context: TransferContext<M>) => Promise<T>

/**
 * Work that several may wait for, by key: who comes while it is under way joins instead of doing it again. Each waiter leaves by its own signal, and
 * the last to leave ends the work.
 */
export interface TransferTable<T extends Disposable, M> {
  /**
   * Resolves when `waiter` has taken the result. Throws what `start` throws; the failure of a transfer that somebody else started (with other credentials,
   * from another registry) is not this waiter's, who then starts one of its own. Throws the signal's reason; when nobody is left, after the work has
   * ended and cleaned up.
   */
  join(key: string, start: StartTransfer<T, M>, waiter: Waiter<T, M>): Promise<void>
  /** Transfers under way. */
  readonly size: number
}

interface Transfer<T, M> {
  waiters: Set<Waiter<T, M>>
  stop: AbortController
  /** For who joins later. */
  last: M | undefined
  /** Whether it failed, with what; never rejects. */
  outcome: Promise<{ error: unknown } | undefined>
}

export function createTransferTable<T extends Disposable, M>(): TransferTable<T, M> {
  const transfers = new Map<string, Transfer<T, M>>()

  function begin(key: string, start: StartTransfer<T, M>): Transfer<T, M> {
    const stop = new AbortController()
    const transfer: Transfer<T, M> = { waiters: new Set(), stop, last: undefined, outcome: Promise.resolve(undefined) }
    const report = (message: M): void => {
      transfer.last = message
      for (const waiter of transfer.waiters) waiter.report(message)
    }
    transfers.set(key, transfer)
    transfer.outcome = run(transfer, () => start({ signal: stop.signal, report })).finally(() => transfers.delete(key))
    return transfer
  }

  /** Whether it came to a result; undefined for a failure that is not this waiter's. Throws the failure when it is. */
  async function wait(transfer: Transfer<T, M>, waiter: Waiter<T, M>): Promise<{ error: unknown } | undefined> {
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      transfer.waiters.delete(waiter)
      if (transfer.waiters.size === 0) transfer.stop.abort(waiter.signal?.reason)
      leave()
    }
    transfer.waiters.add(waiter)
    waiter.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const outcome = await Promise.race([transfer.outcome, left.then(() => undefined)])
      if (transfer.waiters.has(waiter)) return outcome
      if (transfer.stop.signal.aborted) await transfer.outcome
      throw waiter.signal?.reason
    } finally {
      waiter.signal?.removeEventListener('abort', onAbort)
    }
  }

  return {
    async join(key, start, waiter) {
      for (;;) {
        waiter.signal?.throwIfAborted()
        const known = transfers.get(key)
        // On its way out: what it still has to remove must not be in the way of a new one.
        if (known?.stop.signal.aborted === true) {
          await known.outcome
          continue
        }
        if (known?.last !== undefined) waiter.report(known.last)
        const failure = await wait(known ?? begin(key, start), waiter)
        if (failure === undefined) return
        if (known === undefined) throw failure.error
      }
    },
    get size() {
      return transfers.size
    },
  }
}

async function run<T extends Disposable, M>(transfer: Transfer<T, M>, work: () => Promise<T>): Promise<{ error: unknown } | undefined> {
  try {
    using result = await work()
    for (const waiter of transfer.waiters) waiter.take(result)
    return undefined
  } catch (error) {
    return { error }
  }
}
