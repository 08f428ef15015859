import { closeSync } from 'node:fs'
import { createSystemCalls, type SystemCalls, syscallError } from './ffi/system-calls.ts'
import { AF, socketAddress } from './socket-address.ts'
import type { PortProbe } from './types.ts'

const SOCK = { tcp: 1, udp: 2, sctp: 1 } as const
const IPPROTO = { tcp: 6, udp: 17, sctp: 132 } as const
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const EADDRINUSE = 98
const EPROTONOSUPPORT = 93

/**
 * {@link PortProbe} by bind(2). With SO_REUSEADDR, so that connections of a server that just ended (TIME_WAIT) do not hold the port for a minute;
 * a listening socket still does. A kernel without SCTP cannot have the port in use: true.
 */
export function createPortProbe(system: SystemCalls = createSystemCalls()): PortProbe {
  return (reservation, addressBytes) => {
    const fd = system.attempt('socket', AF[reservation.family], SOCK[reservation.protocol] | SOCK_CLOEXEC, IPPROTO[reservation.protocol])
    if (fd === -EPROTONOSUPPORT) return true
    if (fd < 0) throw syscallError('socket', -fd, [reservation.protocol])
    try {
      if (reservation.protocol !== 'udp') system.call('setsockopt', fd, SOL_SOCKET, SO_REUSEADDR, Buffer.of(1, 0, 0, 0), 4)
      if (reservation.family === 6) system.call('setsockopt', fd, IPPROTO_IPV6, IPV6_V6ONLY, Buffer.of(1, 0, 0, 0), 4)
      const address = socketAddress(reservation.family, addressBytes, reservation.port)
      const result = system.attempt('bind', fd, address, address.length)
      if (result === -EADDRINUSE) return false
      if (result < 0) throw syscallError('bind', -result, [`${reservation.address}:${reservation.port}`])
      return true
    } finally {
      closeSync(fd)
    }
  }
}
