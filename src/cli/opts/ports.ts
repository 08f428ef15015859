import type { PortBinding } from '#api'
import { isIP } from 'node:net'

const PROTOCOLS = ['tcp', 'udp', 'sctp']
const MAX_PORT = 65535

export interface Published {
  /** Keys `80/tcp`. */
  exposed: Record<string, object>
  bindings: Record<string, PortBinding[]>
}

/**
 * `-p` in all its forms: `[[ip:][host[-end]]:]container[-end][/protocol]`, IPv6 addresses in brackets, and the long form
 * `published=8080,target=80,protocol=tcp`. Throws Error with Docker's text. Source: docker/go-connections `nat`.
 */
export function parsePublish(specs: readonly string[]): Published {
  const result: Published = { exposed: {}, bindings: {} }
  for (const spec of specs.map(shortForm)) {
    for (const [port, binding] of parseSpec(spec)) {
      result.exposed[port] = {}
      ;(result.bindings[port] ??= []).push(binding)
    }
  }
  return result
}

/** `--expose`: a port or a range with an optional protocol. */
export function parseExpose(specs: readonly string[]): string[] {
  return specs.flatMap((spec) => {
    if (spec.includes(':')) throw new Error(`invalid port format for --expose: ${spec}`)
    const [range, protocol] = splitProtocol(spec)
    let limits: [number, number]
    try {
      limits = portRange(range)
    } catch (error) {
      throw new Error(`invalid range format for --expose: ${spec}, error: ${(error as Error).message}`, { cause: error })
    }
    return sequence(limits).map((port) => `${port}/${protocol}`)
  })
}

function shortForm(spec: string): string {
  if (!spec.includes('=')) return spec
  const parameters: Record<string, string> = { protocol: 'tcp' }
  for (const parameter of spec.split(',')) {
    const equals = parameter.indexOf('=')
    if (equals <= 0) throw new Error(`invalid publish opts format (should be name=value but got '${parameter}')`)
    parameters[parameter.slice(0, equals)] = parameter.slice(equals + 1)
  }
  return `${parameters['published'] ?? ''}:${parameters['target'] ?? ''}/${parameters['protocol'] ?? ''}`
}

function parseSpec(spec: string): [string, PortBinding][] {
  const parts = spec.split(':')
  const containerPart = parts.pop() ?? ''
  const hostPart = parts.pop() ?? ''
  const address = parts.join(':')
  const [containerRange, protocolText] = splitProtocol(containerPart)
  if (containerRange === '') throw new Error(`no port specified: ${spec}<empty>`)
  const protocol = protocolText.toLowerCase()
  if (!PROTOCOLS.includes(protocol)) throw new Error(`invalid proto: ${protocol}`)
  const hostIp = hostAddress(address)

  const container = rangeOr(containerRange, `invalid containerPort: ${containerRange}`)
  const host = hostPart === '' ? undefined : rangeOr(hostPart, `invalid hostPort: ${hostPart}`)
  const count = container[1] - container[0] + 1
  // A range of host ports for one container port means: take any free one of these.
  if (host !== undefined && host[1] - host[0] + 1 !== count && count !== 1) {
    throw new Error(`invalid ranges specified for container and host Ports: ${containerRange} and ${hostPart}`)
  }
  return sequence(container).map((port, at) => [`${port}/${protocol}`, { HostIp: hostIp, HostPort: hostPort(host, at, count) }])
}

function hostPort(host: [number, number] | undefined, at: number, count: number): string {
  if (host === undefined) return ''
  const first = host[0] + at
  return count === 1 && host[0] !== host[1] ? `${first}-${host[1]}` : String(first)
}

function hostAddress(text: string): string {
  if (text === '') return ''
  const address = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text
  if (text.startsWith('[') && !text.endsWith(']')) throw new Error(`invalid IP address ${text}: address ${text}:: missing ']' in address`)
  if (isIP(address.split('%')[0] ?? '') === 0) throw new Error(`invalid IP address: ${address}`)
  return address
}

function splitProtocol(text: string): [string, string] {
  const slash = text.indexOf('/')
  const protocol = slash < 0 ? '' : text.slice(slash + 1)
  return [slash < 0 ? text : text.slice(0, slash), protocol === '' ? 'tcp' : protocol]
}

function rangeOr(text: string, message: string): [number, number] {
  try {
    return portRange(text)
  } catch (error) {
    throw new Error(message, { cause: error })
  }
}

/** First and last port. Throws Error. */
function portRange(text: string): [number, number] {
  if (text === '') throw new Error('empty string specified for ports')
  const dash = text.indexOf('-')
  const first = portNumber(dash < 0 ? text : text.slice(0, dash))
  const last = dash < 0 ? first : portNumber(text.slice(dash + 1))
  if (last < first) throw new Error(`invalid range specified for port: ${text}`)
  return [first, last]
}

function portNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (Number(text) > MAX_PORT) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  return Number(text)
}

function sequence([first, last]: [number, number]): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}
