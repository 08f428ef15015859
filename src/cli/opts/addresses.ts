import { isIP } from 'node:net'

/** What the daemon replaces by an address of the host. */
const HOST_GATEWAY = 'host-gateway'
const MAX_DOMAIN = 255

export function checkIp(text: string): string {
  const address = text.trim()
  if (isIP(address) === 0) throw new Error(`IP address is not correctly formatted: ${text}`)
  return canonicalIp(address)
}

/** Shortest form of an IPv6 address; IPv4 stays. */
function canonicalIp(address: string): string {
  return isIP(address) === 6 ? (URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? address) : address
}

/** `name:ip` or `name=ip`; the address may be `host-gateway` or an IPv6 address in brackets. Returns the form with a colon. */
export function checkExtraHost(text: string): string {
  const separator = text.includes('=') ? text.indexOf('=') : text.indexOf(':')
  const name = separator < 0 ? '' : text.slice(0, separator)
  if (name === '' || name.includes(':')) throw new Error(`bad format for add-host: ${JSON.stringify(text)}`)
  const written = text.slice(separator + 1)
  if (written === HOST_GATEWAY) return `${name}:${written}`
  const address = /^\[.+\]$/.test(written) ? written.slice(1, -1) : written
  if (isIP(address.trim()) === 0) throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`)
  return `${name}:${address}`
}

/** A search domain; `.` stands for none. */
export function checkDnsSearch(text: string): string {
  const domain = text.replace(/^ +| +$/g, '')
  if (domain === '.') return domain
  const match =
    /^((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*)\.?\s*$/.exec(domain)
  if (!/[a-zA-Z]/.test(domain) || match?.[1] === undefined || match[1].length >= MAX_DOMAIN) {
    throw new Error(`${domain} is not a valid domain`)
  }
  return match[1]
}

/** `container` or `container:alias`. */
export function checkLink(text: string): string {
  if (text === '') throw new Error('empty string specified for links')
  if (text.split(':').length > 2) throw new Error(`bad format for links: ${text}`)
  return text
}

/** Whether Go's net.ParseMAC takes it: 6, 8 or 20 bytes, with colons, dashes or in groups of four with dots. */
export function isMacAddress(text: string): boolean {
  const address = text.trim()
  const match = /^[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2}(?:\1[0-9a-fA-F]{2})*)$/.exec(address)
  if (match !== null) return [17, 23, 59].includes(address.length)
  return /^[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4})+$/.test(address) && [14, 19, 49].includes(address.length)
}
