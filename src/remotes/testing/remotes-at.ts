import { createRemotes } from '../create-remotes.ts'
import type { RegistryHost, Remotes, TransferLimits } from '../types.ts'

/** Waits of a test are as short as they can be without a busy machine being taken for a broken one. */
export const QUICK_LIMITS: TransferLimits = {
  connect: 5000,
  response: 5000,
  uploadResponse: 5000,
  idle: 5000,
  window: 5000,
  minimumBytes: 1,
  backoff: 1,
  backoffMaximum: 4,
  retryAfterMaximum: 2000,
}

/** Remotes that find every registry at the given hosts. */
export function remotesAt(hosts: readonly RegistryHost[], limits: Partial<TransferLimits> = {}): Remotes {
  return createRemotes({
    hosts: { hosts: async () => hosts, isInsecure: () => false },
    userAgent: 'gantry/test',
    limits: { ...QUICK_LIMITS, ...limits },
    attempts: () => 3,
  })
}
