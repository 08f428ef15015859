/**
 * Where an engine listens, parsed from the text users write in `-H`, `DOCKER_HOST` and contexts.
 * Source: docker/cli reference, "Daemon socket option"; `opts/hosts.go` for the accepted forms.
 */

/** Certificates as PEM text; `verify: false` accepts any server certificate (`--tls` without `--tlsverify`). */
export interface TlsMaterial {
  ca?: string
  cert?: string
  key?: string
  verify: boolean
}

export type Endpoint =
  | { scheme: 'unix'; text: string; path: string }
  | { scheme: 'tcp'; text: string; host: string; port: number; basePath: string; tls?: TlsMaterial }
  | { scheme: 'ssh'; text: string; args: string[]; socketPath?: string }

const DEFAULT_TCP_PORT = 2375
const DEFAULT_TLS_PORT = 2376

/**
 * Reads `unix:///path`, `tcp://host:port[/base]`, `http(s)://…`, `ssh://[user@]host[:port][/socket]`; `tls` upgrades tcp.
 * Throws SyntaxError with Docker's text, ready for the user.
 */
export function parseEndpoint(text: string, tls?: TlsMaterial): Endpoint {
  const separator = text.indexOf('://')
  if (separator < 0) throw new SyntaxError(`unable to parse docker host \`${text}\``)
  const scheme = text.slice(0, separator)
  const address = text.slice(separator + 3)
  if (address === '') throw new SyntaxError(`unable to parse docker host \`${text}\``)
  switch (scheme) {
    case 'unix':
      return { scheme: 'unix', text, path: address }
    case 'tcp':
    case 'http':
    case 'https':
      return parseTcp(scheme, text, address, tls)
    case 'ssh':
      return parseSsh(text)
    default:
      throw new SyntaxError(`unable to parse docker host \`${text}\``)
  }
}

function parseTcp(scheme: string, text: string, address: string, tls: TlsMaterial | undefined): Endpoint {
  const url = parseUrl(`http://${address}`, text)
  const material = tls ?? (scheme === 'https' ? { verify: true } : undefined)
  // WHATWG URLs drop port 80 as the default of http, so an explicit ":80" is looked up in the text.
  const explicitPort = url.port !== '' ? Number(url.port) : /:80(?:\/|$)/.test(address) ? 80 : undefined
  const defaultPort = scheme === 'tcp' ? (material === undefined ? DEFAULT_TCP_PORT : DEFAULT_TLS_PORT) : material === undefined ? 80 : 443
  return {
    scheme: 'tcp',
    text,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: explicitPort ?? defaultPort,
    basePath: url.pathname.replace(/\/+$/, ''),
    ...(material === undefined ? {} : { tls: material }),
  }
}

/** The arguments for ssh(1), which then runs `docker system dial-stdio` on the other side. */
function parseSsh(text: string): Endpoint {
  const url = parseUrl(text, text)
  if (url.password !== '') throw new SyntaxError('invalid SSH URL: plain-text password is not supported')
  if (url.search !== '' || url.hash !== '') throw new SyntaxError('invalid SSH URL: extra query or fragment')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // A host name that starts with a dash would be read by ssh as an option (CVE-2017-1000117 and its kin).
  if (host === '' || host.startsWith('-') || url.username.startsWith('-')) throw new SyntaxError(`invalid SSH URL: ${text}`)
  const args = ['-o', 'ConnectTimeout=30', '-T']
  if (url.username !== '') args.push('-l', decodeURIComponent(url.username))
  if (url.port !== '') args.push('-p', url.port)
  args.push('--', host)
  const socketPath = url.pathname === '' || url.pathname === '/' ? undefined : url.pathname
  return { scheme: 'ssh', text, args, ...(socketPath === undefined ? {} : { socketPath }) }
}

function parseUrl(candidate: string, text: string): URL {
  const url = URL.parse(candidate)
  if (url === null) throw new SyntaxError(`unable to parse docker host \`${text}\``)
  return url
}
