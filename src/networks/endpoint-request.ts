import { isIP } from 'node:net'
import { EngineError, invalidArgument } from '#errors'
import { isPredefined } from './create-network.ts'
import { contains, parseAddress, parseCidr, readAddress } from './ipam/ip-address.ts'
import type { EndpointRequest, NetworkRecord } from './types.ts'

const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i
const SYSCTLS = 'com.docker.network.endpoint.sysctls'
const INTERFACE_NAME = 'com.docker.network.endpoint.ifname'

/** Refuses what the network cannot give, with dockerd's texts, all reasons at once. */
export function checkEndpointRequest(network: NetworkRecord, asked: EndpointRequest): void {
  if (network.configOnly === true) {
    throw new EngineError('FORBIDDEN', 'cannot create endpoint on configuration-only network')
  }
  const refusals = [...predefinedProblems(network, asked), ...addressProblems(network, asked)]
  if (asked.macAddress && !MAC.test(asked.macAddress)) refusals.push(`invalid MAC address: ${asked.macAddress}`)
  if (asked.macAddress && ['host', 'null'].includes(network.driver)) refusals.push('conflicting options: mac-address and the network mode')
  for (const sysctl of sysctlsOf(asked)) {
    if (!isInterfaceSysctl(sysctl)) {
      refusals.push(
        `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
      )
    }
  }
  const name = interfaceNameOf(asked)
  if (name !== undefined && !/^[^\s/:]{1,15}$/.test(name)) refusals.push(`invalid interface name: ${name}`)
  if (refusals.length > 0) throw invalidArgument(`invalid endpoint settings:\n${refusals.join('\n')}`)
}

/** The name asked for the interface inside; undefined: the engine chooses. */
export function interfaceNameOf({ driverOpts }: EndpointRequest): string | undefined {
  return driverOpts?.[INTERFACE_NAME] || undefined
}

/** Settings of the interface of this name, paths below /proc/sys. The request was checked. */
export function interfaceSysctls(asked: EndpointRequest, name: string): { path: string; value: string }[] {
  return sysctlsOf(asked).map((sysctl) => {
    const equals = sysctl.indexOf('=')
    const [net = '', family = '', area = '', , ...rest] = sysctl.slice(0, equals).split('.')
    return { path: [net, family, area, name, ...rest].join('/'), value: sysctl.slice(equals + 1) }
  })
}

/** On `bridge`, `host` and `none` Docker gives neither addresses of one's choice nor names. */
function predefinedProblems(network: NetworkRecord, asked: EndpointRequest): string[] {
  if (!isPredefined(network.name)) return []
  return [
    ...(asked.ipv4Address || asked.ipv6Address ? ['user specified IP address is supported on user defined networks only'] : []),
    ...((asked.aliases ?? []).length > 0 ? ['network-scoped aliases are only supported for user-defined networks'] : []),
  ]
}

function addressProblems(network: NetworkRecord, { ipv4Address = '', ipv6Address = '', linkLocalIPs = [] }: EndpointRequest): string[] {
  const problems: string[] = []
  if (ipv4Address !== '' && isIP(ipv4Address) !== 4) problems.push(`invalid IPv4 address: ${ipv4Address}`)
  if (ipv6Address !== '' && isIP(ipv6Address) !== 6) problems.push(`invalid IPv6 address: ${ipv6Address}`)
  for (const address of linkLocalIPs) if (address !== '' && isIP(address) === 0) problems.push(`invalid link-local IP address: ${address}`)
  if (problems.length > 0 || isPredefined(network.name)) return problems
  for (const text of [ipv4Address, ipv6Address].filter((given) => given !== '')) {
    const problem = rangeProblem(network, text)
    if (problem !== undefined) problems.push(problem)
  }
  return problems
}

function rangeProblem({ ipam }: NetworkRecord, text: string): string | undefined {
  const address = parseAddress(text)
  const own = ipam.config.filter(({ automatic }) => automatic !== true).map(({ subnet }) => parseCidr(subnet).subnet)
  const family = own.filter((subnet) => subnet.family === address.family)
  if (family.some((subnet) => contains(subnet, address))) return undefined
  return family.length > 0
    ? `no configured subnet or ip-range contain the IP address ${text}`
    : 'user specified IP address is supported only when connecting to networks with user configured subnets'
}

/** Link-local addresses asked for beside the network's own, with the length of their prefix. */
export function linkLocalAddresses({
  linkLocalIPs = [],
}: EndpointRequest): { address: ReturnType<typeof parseAddress>; prefixLength: number }[] {
  return linkLocalIPs.flatMap((text) => {
    const address = readAddress(text)
    return address === undefined ? [] : [{ address, prefixLength: address.family === 4 ? 16 : 64 }]
  })
}

function sysctlsOf({ driverOpts }: EndpointRequest): string[] {
  const text = driverOpts?.[SYSCTLS]
  return text === undefined || text === '' ? [] : text.split(',')
}

/** `net.ipv4.conf.IFNAME.log_martians=1`; lower case too, for docker's CLI makes it that. A path of its own making would write anywhere below /proc/sys. */
function isInterfaceSysctl(text: string): boolean {
  return /^net\.(ipv4|ipv6|mpls)\.[a-z0-9_]+\.(IFNAME|ifname)\.[a-z0-9_]+=.*$/.test(text)
}
