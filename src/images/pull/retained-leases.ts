/** Milliseconds for which what a failed pull has finished is kept, so that the next one goes on where it stopped. */
const RETENTION = 15 * 60 * 1000

/** Leases that outlive their pulls. */
export interface RetainedLeases {
  keep(lease: Disposable): void
}

/** `released`: something may be collected now. */
export function createRetainedLeases(deps: { released: () => void }): RetainedLeases {
  return {
    keep(lease) {
      // A daemon that ends does not wait for this: leases are gone with it, and the next start collects.
      setTimeout(() => {
        lease[Symbol.dispose]()
        deps.released()
      }, RETENTION).unref()
    },
  }
}
