import { createSystemCalls, type SystemCalls } from './ffi/system-calls.ts'
import { inNetworkNamespace } from './namespaces.ts'
import { openNftables } from './nftables/nftables.ts'
import { openSocket, type SocketRequest } from './open-socket.ts'
import type { Nftables } from './types.ts'

/** What can be opened while the thread is in a network namespace; it stays there when the thread goes home. */
export interface NamespaceOpener {
  /** For node to take over by number. The caller's to close. */
  socket(request: SocketRequest): number
  nftables(): Nftables
}

/** Runs `action` in the namespace at `path`, as `inNetworkNamespace` does; synchronous only. */
export type NamespaceSockets = <T>(path: string, action: (open: NamespaceOpener) => T) => T

/** One set of system calls for all visits: making it takes longer than a visit. */
export function createNamespaceSockets(system: SystemCalls = createSystemCalls()): NamespaceSockets {
  const open: NamespaceOpener = {
    socket: (request) => openSocket(request, system),
    nftables: () => openNftables(system),
  }
  return (path, action) => inNetworkNamespace(path, () => action(open), system)
}
