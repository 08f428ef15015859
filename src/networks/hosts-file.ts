import { isIP } from 'node:net'
import { invalidArgument } from '#errors'

export interface HostsFileRequest {
  hostname: string
  domainname: string
  /** The container's own addresses; none for `--network none`. */
  addresses: readonly string[]
  /** `--add-host`: `name:address`, the address may be `host-gateway`. */
  extraHosts: readonly string[]
  /** `--link` on the default bridge: address of the other container, and the names it goes by. */
  links?: readonly { address: string; names: readonly string[] }[]
  /** What `host-gateway` stands for. */
  hostGateway: string
  /** With `--network host` the host's file is taken instead of the usual beginning. */
  base?: string
}

const USUAL_BEGINNING = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

/** The text of a container's /etc/hosts. Throws INVALID_ARGUMENT for extra hosts that are none. */
export function hostsFile(request: HostsFileRequest): string {
  const { hostname, domainname } = request
  const names = domainname === '' ? hostname : `${hostname}.${domainname} ${hostname}`
  const lines = [
    ...(request.base === undefined ? USUAL_BEGINNING : [request.base.replace(/\n$/, '')]),
    ...request.extraHosts.map((entry) => extraHostLine(entry, request.hostGateway)),
    ...(request.links ?? []).map(({ address, names: linked }) => `${address}\t${linked.join(' ')}`),
    ...request.addresses.map((address) => `${address}\t${names}`),
  ]
  return `${lines.join('\n')}\n`
}

function extraHostLine(entry: string, hostGateway: string): string {
  const colon = entry.indexOf(':') // the address may be IPv6, the name has no colon
  const name = entry.slice(0, colon)
  const address = entry.slice(colon + 1) === 'host-gateway' ? hostGateway : entry.slice(colon + 1)
  if (colon <= 0) throw invalidArgument(`bad format for add-host: "${entry}"`)
  if (address === '') throw invalidArgument('unable to derive the IP value for host-gateway')
  if (isIP(address) === 0) throw invalidArgument(`invalid IP address in add-host: "${address}"`)
  return `${address}\t${name}`
}
