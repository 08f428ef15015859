/** Ports: `PortBindings` as asked for, `NetworkSettings.Ports` and the list's `Ports` as given. */

import type { PortMap, PortSummary } from '#api'
import { invalidArgument } from '#errors'
import type { Container } from '#containers'
import type { PortProtocol, PortRequest } from '#networks'
import { field, list, mapOf, struct, text, type Codec } from './codec.ts'

interface Binding {
  hostIp: string
  hostPort: string
}

const ANY_PORT: Binding = { hostIp: '', hostPort: '' }

const bindings: Codec<Record<string, Binding[]>> = mapOf(
  list(
    struct<Binding>('nat.PortBinding', { hostIp: field('HostIp', text), hostPort: field('HostPort', text) }).complete(ANY_PORT),
    '[]nat.PortBinding',
  ),
  'nat.PortMap',
  () => [],
)

/**
 * `{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}` and the domain's flat list. Up to API 1.52 a port without bindings is published on
 * any port; since 1.53 it is not published. Source: moby `handlePortBindingsBC`.
 */
export const portBindings: Codec<PortRequest[]> = {
  decode(json, version) {
    return Object.entries(bindings.decode(json, version)).flatMap(([name, hosts]) => {
      const port = parsePort(name)
      const wanted = hosts.length === 0 && version <= 52 ? [ANY_PORT] : hosts
      return wanted.map(({ hostIp, hostPort }) => ({ ...port, hostIp, hostPort: checkHostPort(hostPort) }))
    })
  },
  encode(requests, version) {
    const map: Record<string, Binding[]> = {}
    for (const { containerPort, protocol, hostIp, hostPort } of requests) {
      ;(map[`${containerPort}/${protocol}`] ??= []).push({ hostIp, hostPort })
    }
    return bindings.encode(map, version)
  },
  isZero: (requests) => requests.length === 0,
}

/** `80`, `80/tcp`, `53/udp`. Throws INVALID_ARGUMENT `invalid port specification: "x"`. */
function parsePort(name: string): { containerPort: number; protocol: PortProtocol } {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(name)
  const containerPort = Number(match?.[1])
  if (match === null || containerPort < 1 || containerPort > 65535) {
    throw invalidArgument(`invalid port specification: ${JSON.stringify(name)}`)
  }
  return { containerPort, protocol: (match[2]?.toLowerCase() ?? 'tcp') as PortProtocol }
}

/** Empty, a port, or a range. */
function checkHostPort(hostPort: string): string {
  const match = /^(\d{1,5})?(?:-(\d{1,5}))?$/.exec(hostPort)
  const first = Number(match?.[1] ?? 0)
  const last = Number(match?.[2] ?? first)
  if (match === null || (match[1] === undefined && match[2] !== undefined) || last < first || last > 65535) {
    throw invalidArgument(`invalid port specification: ${JSON.stringify(hostPort)}`)
  }
  return hostPort
}

/**
 * Ports as they are: empty unless the container runs and has an interface of its own; null for exposed but not published ones. Go writes
 * map keys sorted, so scripts that take the first one get the same here.
 */
export function encodePorts(container: Container): PortMap {
  const { state, config, hostConfig, endpoints } = container
  if ((state.status !== 'running' && state.status !== 'paused') || endpoints.length === 0 || hasNoInterface(hostConfig.networkMode))
    return {}
  const ports: PortMap = {}
  for (const name of config.exposedPorts) ports[name.includes('/') ? name : `${name}/tcp`] = null
  for (const { containerPort, protocol } of hostConfig.portBindings) ports[`${containerPort}/${protocol}`] ??= null
  for (const endpoint of endpoints) {
    for (const { containerPort, protocol, hostIp, hostPort } of endpoint.ports) {
      ;(ports[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: String(hostPort) })
    }
  }
  return Object.fromEntries(Object.entries(ports).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The same for `GET /containers/json`: one element per address. */
export function encodePortSummaries(container: Container): PortSummary[] {
  return Object.entries(encodePorts(container)).flatMap(([name, hosts]) => {
    const [port = '0', protocol = 'tcp'] = name.split('/')
    const exposed: PortSummary = { PrivatePort: Number(port), Type: protocol }
    return hosts === null ? [exposed] : hosts.map((host) => ({ IP: host.HostIp, ...exposed, PublicPort: Number(host.HostPort) }))
  })
}

function hasNoInterface(networkMode: string): boolean {
  return networkMode === 'host' || networkMode === 'none' || networkMode.startsWith('container:')
}
