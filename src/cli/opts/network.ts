import { splitCsvLine } from '#lib'

/** One `--network`, short or long. */
export interface NetworkAttachment {
  target: string
  aliases: string[]
  links: string[]
  linkLocalIps: string[]
  driverOpts: Record<string, string>
  ipv4: string
  ipv6: string
  macAddress: string
  gatewayPriority: number
}

/** An attachment without options. */
export function attachTo(target: string): NetworkAttachment {
  return { target, aliases: [], links: [], linkLocalIps: [], driverOpts: {}, ipv4: '', ipv6: '', macAddress: '', gatewayPriority: 0 }
}

/** `name`, or `name=web,alias=a,ip=…`. Throws Error with Docker's text. */
export function parseNetwork(text: string): NetworkAttachment {
  if (!/\w+=\w+/.test(text)) return attachTo(text)
  const network = attachTo('')
  for (const field of splitCsvLine(text)) {
    const equals = field.indexOf('=')
    if (equals < 0) throw new Error(`invalid field ${field}`)
    const key = field.slice(0, equals).trim().toLowerCase()
    applyField(
      network,
      key,
      field
        .slice(equals + 1)
        .trim()
        .toLowerCase(),
    )
  }
  if (network.target === '') throw new Error('network name/id is not specified')
  return network
}

function applyField(network: NetworkAttachment, key: string, value: string): void {
  switch (key) {
    case 'name':
      network.target = value
      return
    case 'alias':
      network.aliases.push(value)
      return
    case 'ip':
      network.ipv4 = value
      return
    case 'ip6':
      network.ipv6 = value
      return
    case 'mac-address':
      network.macAddress = value
      return
    case 'link-local-ip':
      network.linkLocalIps.push(value)
      return
    case 'driver-opt': {
      const equals = value.indexOf('=')
      if (equals < 0) throw new Error('invalid key value pair format in driver options')
      network.driverOpts[value.slice(0, equals).trim()] = value.slice(equals + 1).trim()
      return
    }
    case 'gw-priority':
      if (!/^[+-]?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`)
      network.gatewayPriority = Number(value)
      return
    default:
      throw new Error(`invalid field key ${key}`)
  }
}

/** Whether a network is one that somebody created, and not one of the built-in modes. */
export function isUserDefined(target: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(target) && !target.startsWith('container:')
}
