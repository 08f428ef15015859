import type { Digest } from '#oci'

/** Somebody who waits for a transfer. `M`: what transfers tell about their progress. */
export interface Waiter<M> {
  signal?: AbortSignal
  report: (message: M) => void
  /** Takes a lease on what the transfer has got so far, while the transfer has one. */
  hold: (digest: Digest) => void
}

/** What a transfer is given. */
export interface TransferContext<M> {
  /** Aborts when nobody waits any more. */
  signal: AbortSignal
  report: (message: M) => void
  /** To be called with all that the transfer gets, before its own lease on it ends. */
  hold: (digest: Digest) => void
}

export type StartTransfer<T, M> = (context: TransferContext<M>) => Promise<T>

/**
 * Work that several may wait for, by key: who comes while it is under way joins instead of doing it again. Each waiter leaves by its own signal, and
 * the last to leave ends the work.
 */
export interface TransferTable<T, M> {
  /**
   * Resolves with the result when there is one. Throws what `start` throws; the failure of a transfer that somebody else started (with other credentials,
   * from another registry) is not this waiter's, who then starts one of its own. Throws the signal's reason; when nobody is left, after the work has
   * ended and cleaned up.
   */
  join(key: string, start: StartTransfer<T, M>, waiter: Waiter<M>): Promise<T>
  /** Transfers under way. */
  readonly size: number
}

type Outcome<T> = { result: T } | { error: unknown }

interface Transfer<T, M> {
  waiters: Set<Waiter<M>>
  stop: AbortController
  /** For who joins later. */
  last: M | undefined
  held: Set<Digest>
  /** Never rejects. */
  outcome: Promise<Outcome<T>>
}

export function createTransferTable<T, M>(): TransferTable<T, M> {
  const transfers = new Map<string, Transfer<T, M>>()

  function begin(key: string, start: StartTransfer<T, M>, waiter: Waiter<M>): Transfer<T, M> {
    const waiters = new Set([waiter])
    const stop = new AbortController()
    const held = new Set<Digest>()
    const context: TransferContext<M> = {
      signal: stop.signal,
      report(message) {
        transfer.last = message
        for (const { report } of waiters) report(message)
      },
      hold(digest) {
        held.add(digest)
        for (const { hold } of waiters) hold(digest)
      },
    }
    const run = async (): Promise<Outcome<T>> => {
      try {
        stop.signal.throwIfAborted()
        return { result: await start(context) }
      } catch (error) {
        return { error }
      } finally {
        transfers.delete(key)
      }
    }
    const transfer: Transfer<T, M> = { waiters, stop, held, last: undefined, outcome: Promise.resolve().then(run) }
    transfers.set(key, transfer)
    return transfer
  }

  function attach(transfer: Transfer<T, M>, waiter: Waiter<M>): void {
    transfer.waiters.add(waiter)
    if (transfer.last !== undefined) waiter.report(transfer.last)
    for (const digest of transfer.held) waiter.hold(digest)
  }

  /** Throws the signal's reason. */
  async function wait(transfer: Transfer<T, M>, waiter: Waiter<M>): Promise<Outcome<T>> {
    const left = Promise.withResolvers<undefined>()
    const onAbort = (): void => {
      transfer.waiters.delete(waiter)
      if (transfer.waiters.size === 0) transfer.stop.abort(waiter.signal?.reason)
      left.resolve(undefined)
    }
    waiter.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const outcome = await Promise.race([transfer.outcome, left.promise])
      if (outcome !== undefined && transfer.waiters.has(waiter)) return outcome
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
        if (known !== undefined) attach(known, waiter)
        const outcome = await wait(known ?? begin(key, start, waiter), waiter)
        if ('result' in outcome) return outcome.result
        if (known === undefined) throw outcome.error
      }
    },
    get size() {
      return transfers.size
    },
  }
}
