import { LocalAddressError } from './outside.ts'

/**
 * What went wrong below HTTP. The message is the one a Go program would show, with the request in front (`Get "https://host/v2/": dial tcp
 * …`): people search for these texts, and programs match them.
 */
export class NetworkError extends Error {
  /** The message without the request. */
  readonly reason: string
  /** Another attempt may succeed: the connection broke, or was not made. */
  readonly transient: boolean
  /** The server does not speak TLS, or its certificate is not to be trusted: plain HTTP may be tried where that is allowed. */
  readonly tls: boolean

  constructor(
    request: { method: string; url: string },
    reason: string,
    options: { transient?: boolean; tls?: boolean; cause?: unknown } = {},
  ) {
    super(`${requestLabel(request)}: ${reason}`, { cause: options.cause })
    this.name = 'NetworkError'
    this.reason = reason
    this.transient = options.transient ?? true
    this.tls = options.tls ?? false
  }
}

/** `Get "https://host/v2/"`, as Go's url.Error begins. */
export function requestLabel({ method, url }: { method: string; url: string }): string {
  return `${method[0] ?? ''}${method.slice(1).toLowerCase()} "${withoutSecrets(url)}"`
}

/** A redirect's query is often a signature that gives access; Docker strips passwords only. */
function withoutSecrets(text: string): string {
  const url = new URL(text)
  url.username = ''
  url.password = ''
  if (/signature|x-amz-|token|sig=/i.test(url.search)) url.search = ''
  return url.href
}

const DIAL_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
}

const CERTIFICATE_ERRORS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'x509: certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'x509: certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'x509: certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
  CERT_REVOKED: 'x509: certificate has been revoked',
}

/** Node's messages of a connection that was closed in good order, before the response and within it. */
const BROKEN_OFF: Readonly<Record<string, string>> = { 'socket hang up': 'EOF', aborted: 'unexpected EOF' }

interface NodeError extends Error {
  code?: string
  syscall?: string
  hostname?: string
  address?: string
  port?: number
  reason?: string
}

/** An error of node's http, tls, net or dns as a {@link NetworkError}. `host` is the name that was dialled. */
export function networkError(request: { method: string; url: string }, thrown: unknown): NetworkError {
  if (thrown instanceof NetworkError) return thrown
  // All addresses of a name failed: the first one speaks for them, as in Go.
  const error = (thrown instanceof AggregateError ? (thrown.errors[0] ?? thrown) : thrown) as NodeError
  const made = (reason: string, options: { transient?: boolean; tls?: boolean } = {}): NetworkError =>
    new NetworkError(request, reason, { ...options, cause: thrown })
  const code = error.code ?? ''
  if (code === 'ENOTFOUND') return made(`dial tcp: lookup ${error.hostname ?? ''}: no such host`)
  if (code === 'EAI_AGAIN') return made(`dial tcp: lookup ${error.hostname ?? ''}: Temporary failure in name resolution`)
  if (error instanceof LocalAddressError) return made(`dial tcp: ${error.message}`, { transient: false })
  if (error.syscall === 'connect') return made(`dial tcp ${address(error)}: connect: ${DIAL_ERRORS[code] ?? error.message}`)
  if (code === 'ECONNRESET') return made(BROKEN_OFF[error.message] ?? 'read: connection reset by peer')
  if (code === 'EPIPE') return made('write: broken pipe')
  if (code === 'HPE_HEADER_OVERFLOW') return made('net/http: server response headers exceeded the limit; aborted', { transient: false })
  if (code.startsWith('HPE_'))
    return made(`net/http: HTTP/1.x transport connection broken: malformed HTTP response (${error.reason ?? code})`)
  if (NO_TLS.has(tlsReason(error))) return made('http: server gave HTTP response to HTTPS client', { transient: false, tls: true })
  const certificate = CERTIFICATE_ERRORS[code]
  if (certificate !== undefined) return made(`tls: failed to verify certificate: ${certificate}`, { transient: false, tls: true })
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return made(`tls: failed to verify certificate: x509: ${error.reason ?? error.message}`, { transient: false, tls: true })
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO')
    return made(`remote error: tls: ${tlsReason(error).replace(/^(?:ssl|tls)v?\S* alert /, '')}`, { transient: false, tls: true })
  return made(error.message)
}

function address({ address = '', port }: NodeError): string {
  const host = address.includes(':') ? `[${address}]` : address
  return port === undefined ? host : `${host}:${port}`
}

/**
 * What OpenSSL says: of an EPROTO the words are in a message of its own, `…:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:…`.
 */
function tlsReason({ reason, message }: NodeError): string {
  return reason ?? /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message
}

/** Answers that are no TLS records: plain HTTP, in all likelihood. */
const NO_TLS: ReadonlySet<string> = new Set(['wrong version number', 'packet length too long', 'http request'])
