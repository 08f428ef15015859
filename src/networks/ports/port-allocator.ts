import { EngineError, internal } from '#errors'
import type { PortProbe, Sysctls } from '#kernel'
import { ipv4Bytes, parseIpv4 } from '../ipam/ip-address.ts'
import type { WantedPort } from './port-request.ts'
import type { PortBinding } from '../types.ts'

const ANY_ADDRESS = '0.0.0.0'

/** Host ports given out. Two bindings clash when protocol and port are equal and the addresses too, or one of them is all addresses. */
export interface PortAllocator {
  /** Gives a host port, or throws with Docker's texts when the one asked for is taken here or by another program. */
  allocate(wanted: WantedPort): PortBinding
  /** Takes what a running container has already, without asking the kernel: its own monitor holds it. */
  adopt(binding: PortBinding): void
  release(binding: PortBinding): void
}

/** Any port is chosen in net.ipv4.ip_local_port_range, less net.ipv4.ip_local_reserved_ports, going round so that a freed one rests. */
export function createPortAllocator(deps: { sysctls: Sysctls; probe: PortProbe }): PortAllocator {
  const taken = new Map<string, Set<string>>() // `tcp/8080` to host addresses
  const lastChosen = new Map<string, number>() // `tcp/8000-8010` to port

  function isTaken({ protocol, hostIp }: WantedPort, port: number): boolean {
    const addresses = taken.get(`${protocol}/${port}`)
    if (addresses === undefined) return false
    return hostIp === ANY_ADDRESS || addresses.has(hostIp) || addresses.has(ANY_ADDRESS)
  }

  /** Whether no other program has it. Other errors of bind(2), such as an address this host does not have, go to the user. */
  function isFreeOnHost({ protocol, hostIp }: WantedPort, port: number): boolean {
    try {
      return deps.probe({ family: 4, protocol, address: hostIp, port }, ipv4Bytes(parseIpv4(hostIp)))
    } catch (error) {
      const reason = (error as { code?: string }).code === 'EADDRNOTAVAIL' ? 'cannot assign requested address' : (error as Error).message
      throw internal(`failed to bind host port ${hostIp}:${port}/${protocol}: ${reason}`, error)
    }
  }

  function take({ containerPort, protocol, hostIp }: WantedPort, hostPort: number): PortBinding {
    const binding: PortBinding = { containerPort, protocol, hostIp, hostPort }
    adopt(binding)
    return binding
  }

  function adopt({ protocol, hostIp, hostPort }: PortBinding): void {
    const key = `${protocol}/${hostPort}`
    taken.set(key, (taken.get(key) ?? new Set()).add(hostIp))
  }

  function choose(wanted: WantedPort): PortBinding {
    const { first, last } = wanted.first === 0 ? ephemeralRange(deps.sysctls) : wanted
    const reserved = wanted.first === 0 ? reservedPorts(deps.sysctls) : () => false
    const key = `${wanted.protocol}/${first}-${last}`
    const start = (lastChosen.get(key) ?? last) + 1
    const count = last - first + 1
    for (let offset = 0; offset < count; offset++) {
      const port = first + ((start - first + offset) % count)
      if (isTaken(wanted, port) || reserved(port) || !isFreeOnHost(wanted, port)) continue
      lastChosen.set(key, port)
      return take(wanted, port)
    }
    throw new EngineError('INTERNAL', 'all ports are allocated') // Docker answers 500 here
  }

  return {
    allocate(wanted) {
      if (wanted.first === 0 || wanted.first !== wanted.last) return choose(wanted)
      if (isTaken(wanted, wanted.first)) throw internal(`Bind for ${wanted.hostIp}:${wanted.first} failed: port is already allocated`)
      if (!isFreeOnHost(wanted, wanted.first)) {
        throw internal(`failed to bind host port ${wanted.hostIp}:${wanted.first}/${wanted.protocol}: address already in use`)
      }
      return take(wanted, wanted.first)
    },
    adopt,
    release({ protocol, hostIp, hostPort }) {
      const key = `${protocol}/${hostPort}`
      const addresses = taken.get(key)
      addresses?.delete(hostIp)
      if (addresses?.size === 0) taken.delete(key)
    },
  }
}

/** Docker's fallback where the sysctl cannot be read: the range IANA sets aside. */
function ephemeralRange(sysctls: Sysctls): { first: number; last: number } {
  const [first = 49152, last = 65535] = (sysctls.read('net/ipv4/ip_local_port_range') ?? '').match(/\d+/g)?.map(Number) ?? []
  return { first, last }
}

/** `8080,9000-9010` as a predicate. */
function reservedPorts(sysctls: Sysctls): (port: number) => boolean {
  const ranges = (sysctls.read('net/ipv4/ip_local_reserved_ports') ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part) => part.split('-').map(Number))
  return (port) => ranges.some(([low = 0, high = low]) => port >= low && port <= high)
}
