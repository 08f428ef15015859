import { EngineError, internal } from '#errors'
import type { PortProbe, Sysctls } from '#kernel'
import { addressBytes, parseAddress } from '../ipam/ip-address.ts'
import { ANY_ADDRESS, type WantedPort } from './port-request.ts'
import type { PortBinding, PortProtocol } from '../types.ts'

/** Host ports given out. Two bindings clash when protocol, family and port are equal and the addresses too, or one of them is all addresses. */
export interface PortAllocator {
  /**
   * Gives one host port on all the addresses asked for, or throws with Docker's texts when the one asked for is taken here or by another program.
   * Bindings without translation have port 0. In order of family.
   */
  allocate(wanted: WantedPort): PortBinding[]
  /** Takes what a running container has already, without asking the kernel: its own monitor holds it. */
  adopt(binding: PortBinding): void
  release(binding: PortBinding): void
}

/** Any port is chosen in net.ipv4.ip_local_port_range, less net.ipv4.ip_local_reserved_ports, going round so that a freed one rests. */
export function createPortAllocator(deps: { sysctls: Sysctls; probe: PortProbe }): PortAllocator {
  const taken = new Map<string, Set<string>>() // `tcp/8080` to host addresses
  const lastChosen = new Map<string, number>() // `tcp/8000-8010` to port
  /** Of a range of ports all go to one address: not to be parsed a thousand times. */
  let lastBytes: { hostIp: string; bytes: Buffer } = { hostIp: '', bytes: Buffer.alloc(0) }

  function bytesOf(hostIp: string): Buffer {
    if (lastBytes.hostIp !== hostIp) lastBytes = { hostIp, bytes: addressBytes(parseAddress(hostIp)) }
    return lastBytes.bytes
  }

  function isTaken(protocol: PortProtocol, hostIp: string, port: number): boolean {
    const addresses = taken.get(`${protocol}/${port}`)
    if (addresses === undefined) return false
    const family = familyOf(hostIp)
    if (addresses.has(hostIp) || addresses.has(ANY_ADDRESS[family])) return true
    return hostIp === ANY_ADDRESS[family] && [...addresses].some((address) => familyOf(address) === family)
  }

  /** Whether no other program has it. Other errors of bind(2), such as an address this host does not have, go to the user. */
  function isFreeOnHost(protocol: PortProtocol, hostIp: string, port: number): boolean {
    try {
      return deps.probe({ family: familyOf(hostIp), protocol, address: hostIp, port }, bytesOf(hostIp))
    } catch (error) {
      const reason = (error as { code?: string }).code === 'EADDRNOTAVAIL' ? 'cannot assign requested address' : (error as Error).message
      throw internal(`failed to bind host port ${withPort(hostIp, port)}/${protocol}: ${reason}`, error)
    }
  }

  function take({ containerPort, protocol, hostIps }: WantedPort, hostPort: number): PortBinding[] {
    const bindings = hostIps.map((hostIp) => ({ containerPort, protocol, hostIp, hostPort }))
    bindings.forEach(adopt)
    return bindings
  }

  function adopt({ protocol, hostIp, hostPort }: PortBinding): void {
    if (hostPort === 0) return
    const key = `${protocol}/${hostPort}`
    taken.set(key, (taken.get(key) ?? new Set()).add(hostIp))
  }

  function choose(wanted: WantedPort): PortBinding[] {
    const { protocol, hostIps } = wanted
    const { first, last } = wanted.first === 0 ? ephemeralRange(deps.sysctls) : wanted
    const reserved = wanted.first === 0 ? reservedPorts(deps.sysctls) : () => false
    const key = `${protocol}/${first}-${last}`
    const start = (lastChosen.get(key) ?? last) + 1
    const count = last - first + 1
    for (let offset = 0; offset < count; offset++) {
      const port = first + ((start - first + offset) % count)
      if (reserved(port)) continue
      if (!hostIps.every((hostIp) => !isTaken(protocol, hostIp, port) && isFreeOnHost(protocol, hostIp, port))) continue
      lastChosen.set(key, port)
      return take(wanted, port)
    }
    throw new EngineError('INTERNAL', 'all ports are allocated') // Docker answers 500 here
  }

  function takeExactly(wanted: WantedPort, port: number): PortBinding[] {
    const { protocol, hostIps } = wanted
    for (const hostIp of hostIps) {
      if (isTaken(protocol, hostIp, port)) throw internal(`Bind for ${withPort(hostIp, port)} failed: port is already allocated`)
      if (!isFreeOnHost(protocol, hostIp, port)) {
        throw internal(`failed to bind host port ${withPort(hostIp, port)}/${protocol}: address already in use`)
      }
    }
    return take(wanted, port)
  }

  return {
    allocate(wanted) {
      const { containerPort, protocol, hostIps, routed, first, last } = wanted
      const translated = first !== 0 && first === last ? takeExactly(wanted, first) : hostIps.length > 0 ? choose(wanted) : []
      return [...translated, ...routed.map((family) => ({ containerPort, protocol, hostIp: ANY_ADDRESS[family], hostPort: 0 }))]
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

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

/** As Go writes an address with a port. */
function withPort(hostIp: string, port: number): string {
  return familyOf(hostIp) === 6 ? `[${hostIp}]:${port}` : `${hostIp}:${port}`
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
