import { closeSync } from 'node:fs'
import { createSystemCalls, type SystemCalls, syscallError } from './ffi/system-calls.ts'
import { AF, socketAddress } from './socket-address.ts'

const TYPE_AND_PROTOCOL = { tcp: [1, 6], udp: [2, 17] } as const
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2

export interface SocketRequest {
  protocol: 'tcp' | 'udp'
  family: 4 | 6
  /** Where to bind it; port 0: the kernel chooses. Absent: not bound. The address has 4 or 16 bytes in network order. */
  local?: { address: Buffer; port: number }
}

/**
 * A socket of the network namespace the calling thread is in now, for node to take over by number (`{ fd }` of dgram, net.Server and net.Socket):
 * node's own calls open theirs later, when the thread is home again. The descriptor is the caller's. TCP sockets may take a port whose last
 * connections are not quite over (SO_REUSEADDR). Throws SyscallError, EADDRINUSE for a taken port.
 */
export function openSocket({ protocol, family, local }: SocketRequest, system: SystemCalls = createSystemCalls()): number {
  const [type, number] = TYPE_AND_PROTOCOL[protocol]
  const fd = system.call('socket', AF[family], type | SOCK_CLOEXEC | SOCK_NONBLOCK, number)
  if (local === undefined) return fd
  try {
    if (protocol === 'tcp') system.call('setsockopt', fd, SOL_SOCKET, SO_REUSEADDR, Buffer.of(1, 0, 0, 0), 4)
    const address = socketAddress(family, local.address, local.port)
    const result = system.attempt('bind', fd, address, address.length)
    if (result < 0) throw syscallError('bind', -result, [`${protocol} port ${local.port}`])
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
