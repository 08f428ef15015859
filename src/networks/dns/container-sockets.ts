import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { createNamespaceSockets, type NamespaceOpener } from '#kernel'
import { SyscallError } from '#errors'
import { addressBytes, parseAddress } from '../ipam/ip-address.ts'
import { RESOLVER_ADDRESS } from '../resolv-conf.ts'
import type { NameServerPorts } from '../types.ts'
import { moveRedirect, redirectRules, RESOLVER_TABLE } from './redirect-rules.ts'

/** Where a resolver listens. */
export interface Listeners {
  udp: UdpSocket
  tcp: Server
}

/** Sockets inside a container's network namespace, which is that of process `pid`. */
export interface ContainerSockets {
  /** Listens at 127.0.0.11 on `before`, where these ports are still free, and makes port 53 lead there. */
  listen(pid: number, before?: NameServerPorts): Listeners
  /** A descriptor for a question to a server that is reached from inside; the caller's to close. */
  open(pid: number, protocol: 'udp' | 'tcp', family: 4 | 6): number
}

const ADDRESS = addressBytes(parseAddress(RESOLVER_ADDRESS))
const BACKLOG = 128

export function createContainerSockets(): ContainerSockets {
  const inside = createNamespaceSockets()
  return {
    listen: (pid, before) => inside(namespaceOf(pid), (open) => listenHere(open, before)),
    open: (pid, protocol, family) => inside(namespaceOf(pid), (open) => open.socket({ protocol, family })),
  }
}

function namespaceOf(pid: number): string {
  return `/proc/${pid}/ns/net`
}

function listenHere(open: NamespaceOpener, before?: NameServerPorts): Listeners {
  using undo = new DisposableStack()
  // Both take their descriptor over at once, without waiting: dgram and net do so when they need not look up an address.
  const udp = undo.adopt(createSocket('udp4'), (socket) => void socket.close()).bind({ fd: openOn(open, 'udp', before?.udp) })
  const tcp = undo.adopt(createServer(), (server) => void server.close()).listen({ fd: openOn(open, 'tcp', before?.tcp), backlog: BACKLOG })
  redirect(open, { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port }, before)
  undo.move()
  return { udp, tcp }
}

/** In the meantime a program of the container may have got the port. */
function openOn(open: NamespaceOpener, protocol: 'udp' | 'tcp', port = 0): number {
  try {
    return open.socket({ protocol, family: 4, local: { address: ADDRESS, port } })
  } catch (error) {
    if (port === 0 || !(error instanceof SyscallError) || error.code !== 'EADDRINUSE') throw error
    return open.socket({ protocol, family: 4, local: { address: ADDRESS, port: 0 } })
  }
}

function redirect(open: NamespaceOpener, ports: NameServerPorts, before?: NameServerPorts): void {
  using nftables = open.nftables()
  const hasRules = before !== undefined && nftables.chains(RESOLVER_TABLE).includes('output')
  if (!hasRules) return nftables.apply(RESOLVER_TABLE, redirectRules(ports))
  if (ports.udp !== before.udp || ports.tcp !== before.tcp) nftables.apply(RESOLVER_TABLE, moveRedirect(ports))
}
