import type { Flow } from '../netlink/conntrack.ts'
import type { Conntrack } from '../types.ts'

/** {@link Conntrack} that records what it was told to forget. */
export function createFakeConntrack(): Conntrack & { forgotten: Flow[] } {
  const forgotten: Flow[] = []
  return { forgotten, forget: async (flows) => forgotten.push(...flows), [Symbol.dispose]: () => {} }
}
