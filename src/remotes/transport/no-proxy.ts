import { BlockList, isIP } from 'node:net'

/**
 * Whether a host is asked directly. The rules of Go's httpproxy package (golang.org/x/net/http/httpproxy, `Config.NoProxy`): loopback
 * always; `*` for all; an address or CIDR; `name` for it and what is below it; `.name` for what is below it only; each with an optional
 * port.
 */
export function bypassesProxy(url: URL, noProxy: string): boolean {
  if (isOnLoopback(url)) return true
  const host = hostOf(url)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return inRange(host, entry)
  if (isIP(entry) !== 0) return entry === host
  const [, name = '', wanted] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? []
  if (wanted !== undefined && wanted !== port) return false
  const below = name.replace(/^\*?\./, '.')
  return below.startsWith('.') ? host.endsWith(below) : host === name || host.endsWith(`.${name}`)
}

/** Whether an address lies in a range such as `10.0.0.0/8`; names do not. Ranges that are none hold nothing. */
export function inRange(address: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/')
  const family = isIP(network)
  const prefix = Number(bits)
  if (family === 0 || isIP(address) !== family || !/^\d+$/.test(bits) || prefix > (family === 4 ? 32 : 128)) return false
  const list = new BlockList()
  list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6')
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** Whether a URL leads to this machine by what is written there. */
export function isOnLoopback(url: URL): boolean {
  const host = hostOf(url)
  return host === 'localhost' || host === '::1' || inRange(host, '127.0.0.0/8')
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase()
}
