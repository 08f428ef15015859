import type { AddressInfo } from 'node:net'
import { RESOLVER_ADDRESS } from '../resolv-conf.ts'
import type { NameDirectory, NameServer, NameServerPorts, NameServerRequest } from '../types.ts'
import { createAnswerCache } from './answer-cache.ts'
import { type ContainerSockets, createContainerSockets, type Listeners } from './container-sockets.ts'
import { createHostServers } from './host-servers.ts'
import { createResolver } from './resolver.ts'
import { serveQuestions } from './serve-questions.ts'
import { createUpstream, type UpstreamServer } from './upstream.ts'
import { createZone } from './zone.ts'

export interface NameServerDeps {
  sockets?: ContainerSockets
  /** Addresses of the host's servers, asked anew for each question. */
  hostServers?: () => readonly string[]
  /** Port of all servers; tests have others. */
  port?: number
  /** Milliseconds to wait for one server. */
  timeout?: number
}

interface Served {
  ports: NameServerPorts
  close: () => void
}

/** {@link NameServer}: one resolver for all containers, with a pair of sockets in the namespace of each. See docs/dns.md. */
export function createNameServer(directory: NameDirectory, deps: NameServerDeps = {}): NameServer {
  const { sockets = createContainerSockets(), hostServers = createHostServers(), port = 53 } = deps
  const upstream = createUpstream({
    openSocket: (pid, protocol, family) => sockets.open(pid, protocol, family),
    ...(deps.timeout !== undefined && { timeout: deps.timeout }),
  })
  const closing = new AbortController()
  const resolver = createResolver({ zone: createZone(directory), cache: createAnswerCache(), upstream, signal: closing.signal })
  const served = new Map<string, Served>()

  /**
   * Docker's rule: servers the user names are asked from the container, where they may be a neighbour or itself; those of the host from the host, and
   * not at all for containers that have internal networks only.
   */
  function serversOf({ containerId, pid, servers }: NameServerRequest): UpstreamServer[] {
    if (servers.length > 0) {
      return servers.filter((address) => address !== RESOLVER_ADDRESS).map((address) => ({ address, port, pid }))
    }
    const getsOut = directory.endpointsOf(containerId).some(({ networkId }) => !directory.isInternal(networkId))
    return getsOut ? hostServers().map((address) => ({ address, port })) : []
  }

  function serve(request: NameServerRequest): NameServerPorts {
    const { containerId } = request
    const before = served.get(containerId)
    if (before !== undefined) return before.ports
    const listeners = sockets.listen(request.pid, request.ports)
    const ended = new AbortController()
    const stopListening = serveQuestions(listeners, (bytes, protocol) =>
      resolver.answer({ containerId, bytes, protocol, servers: serversOf(request), signal: ended.signal }),
    )
    const ports = portsOf(listeners)
    served.set(containerId, {
      ports,
      close: () => {
        ended.abort()
        stopListening()
      },
    })
    return ports
  }

  function stop(containerId: string): void {
    served.get(containerId)?.close()
    served.delete(containerId)
  }

  return {
    serve: async (request) => serve(request),
    stop: async (containerId) => stop(containerId),
    async close() {
      closing.abort()
      for (const containerId of served.keys()) stop(containerId)
    },
  }
}

function portsOf({ udp, tcp }: Listeners): NameServerPorts {
  return { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port }
}
