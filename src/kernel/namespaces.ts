import { closeSync, constants, openSync } from 'node:fs'
import { createSystemCalls, type SystemCalls } from './ffi/system-calls.ts'
import { openRouteNetlink } from './netlink/route-netlink.ts'
import type { NetworkNamespaces } from './types.ts'

const CLONE_NEWNET = 0x40000000

/**
 * Runs `action` with the calling thread inside the network namespace at `path` (`/proc/<pid>/ns/net`). Synchronous only: an await in between would
 * let other work of this thread run in the wrong namespace. Sockets opened inside stay in it. Needs CAP_SYS_ADMIN.
 *
 * When the way back is barred the process is in an unknown place and ends: nothing it would do afterwards could be trusted.
 */
export function inNetworkNamespace<T>(path: string, action: () => T, system: SystemCalls = createSystemCalls()): T {
  // thread-self, not self: the latter is the main thread, which a worker has not moved.
  const home = openSync('/proc/thread-self/ns/net', constants.O_RDONLY)
  try {
    const there = openSync(path, constants.O_RDONLY)
    try {
      system.call('setns', there, CLONE_NEWNET)
    } finally {
      closeSync(there)
    }
    try {
      return action()
    } finally {
      if (system.attempt('setns', home, CLONE_NEWNET) < 0) process.abort()
    }
  } finally {
    closeSync(home)
  }
}

/** {@link NetworkNamespaces} of this machine. */
export function createNetworkNamespaces(system: SystemCalls = createSystemCalls()): NetworkNamespaces {
  return {
    run: (path, action) =>
      inNetworkNamespace(
        path,
        () => {
          using route = openRouteNetlink(system)
          return action(route)
        },
        system,
      ),
  }
}
