/** Values of the options about registries, checked with dockerd's texts. Source: moby `daemon/pkg/registry/config.go`. */

/** A mirror of Docker Hub, with one slash at the end. Throws Error. */
export function mirrorUrl(text: string): string {
  const at = text.indexOf('://')
  const schemes = "must use either 'https://' or 'http://'"
  if (at <= 0) throw new Error(`invalid mirror: no scheme specified for ${JSON.stringify(text)}: ${schemes}`)
  if (!URL.canParse(text)) throw new Error(`invalid mirror: ${JSON.stringify(text)} is not a valid URI`)
  const url = new URL(text)
  const scheme = url.protocol.slice(0, -1)
  if (scheme !== 'http' && scheme !== 'https')
    throw new Error(`invalid mirror: unsupported scheme ${JSON.stringify(scheme)} in ${JSON.stringify(text)}: ${schemes}`)
  if (url.search !== '' || url.hash !== '') throw new Error(`invalid mirror: query or fragment at end of the URI ${JSON.stringify(text)}`)
  if (url.username !== '' || url.password !== '') {
    url.password = 'xxxxx'
    throw new Error(`invalid mirror: username/password not allowed in URI ${JSON.stringify(url.href)}`)
  }
  return `${text.replace(/\/$/, '')}/`
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(?::(\d+))?$/
const IPV6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/
const CIDR = /^[0-9A-Fa-f:.]+\/\d{1,3}$/
const MAX_PORT = 65_535

/** `HOST[:PORT]` or CIDR of a registry that is not to be checked; `http://` in front is taken away. Throws Error. */
export function insecureRegistry(text: string): string {
  const name = text === 'index.docker.io' ? 'docker.io' : text
  if (name.startsWith('-') || name.endsWith('-')) throw new Error(`invalid index name (${name}). Cannot begin or end with a hyphen`)
  const [, scheme, rest = name] = /^([^:/]*):\/\/(.*)$/.exec(name) ?? []
  if (scheme !== undefined && !/^https?$/i.test(scheme)) throw new Error(`insecure registry ${name} should not contain '://'`)
  if (CIDR.test(rest)) return rest
  const host = HOST.exec(rest)
  if (host === null && !IPV6.test(rest)) throw new Error(`insecure registry ${rest} is not valid: invalid host ${JSON.stringify(rest)}`)
  if (Number(host?.[1] ?? 0) > MAX_PORT)
    throw new Error(`insecure registry ${rest} is not valid: invalid port ${JSON.stringify(host?.[1])}`)
  return rest
}

/** A proxy's URL for messages and `info`: name and password are hidden. */
export function maskCredentials(text: string): string {
  if (!URL.canParse(text)) return text
  const url = new URL(text)
  if (url.username === '' && url.password === '') return text
  return text.replace(/\/\/[^@/]*@/, '//xxxxx:xxxxx@')
}
