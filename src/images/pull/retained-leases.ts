/** Milliseconds for which what a failed pull has finished is kept, so that the next one goes on where it stopped. */
const RETENTION = 15 * 60 * 1000

/** Leases that outlive their pulls. */
export interface RetainedLeases {
  /** For a later pull of the same name. */
  keep(name: string, lease: Disposable): void
  /** The name has been pulled. Whoever calls it collects. */
  release(name: string): void
}

/** `released`: something may be collected now. */
export function createRetainedLeases(deps: { released: () => void }): RetainedLeases {
  const leases = new Map<string, Set<Disposable>>()

  return {
    keep(name, lease) {
      const others = leases.get(name) ?? new Set()
      leases.set(name, others.add(lease))
      // A daemon that ends does not wait for this: leases are gone with it, and the next start collects.
      setTimeout(() => {
        if (!others.delete(lease)) return
        if (others.size === 0) leases.delete(name)
        lease[Symbol.dispose]()
        deps.released()
      }, RETENTION).unref()
    },
    release(name) {
      const released = leases.get(name) ?? new Set()
      leases.delete(name)
      for (const lease of released) lease[Symbol.dispose]()
      released.clear()
    },
  }
}
