import { absent, duration, flag, listOf, mapOf, needless, oneOf, refine, required, section, text, type Shape } from './shape.ts'

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export interface TlsConfig {
  /** Paths of PEM files. */
  certificate: string
  key: string
  clientCas: readonly string[]
  /** Whether clients are asked for a certificate, must have one, and whether it must come from one of the CAs. */
  clientAuth: { request: boolean; require: boolean; verify: boolean }
  minVersion: TlsVersion
  /** In OpenSSL's names, joined by colons; undefined: those of the runtime. */
  ciphers: string | undefined
}

/** Where a socket listens. */
export type ListenPlace = { kind: 'tcp'; host: string; port: number } | { kind: 'unix'; path: string }

export interface HttpConfig {
  listen: ListenPlace
  /** Scheme and host that clients see; undefined: taken from each request. */
  externalUrl: string | undefined
  /** Milliseconds that open requests get when the server ends. */
  drainTimeout: number
  tls: TlsConfig | undefined
  /** Sent with every response. */
  headers: Readonly<Record<string, readonly string[]>>
  /** The second address, for health, and the path of the metrics (served there, or on the main address when there is no second one). */
  debug: ListenPlace | undefined
  metricsPath: string | undefined
}

const VERSIONS: Readonly<Record<string, TlsVersion>> = { 'tls1.0': 'TLSv1', 'tls1.1': 'TLSv1.1', 'tls1.2': 'TLSv1.2', 'tls1.3': 'TLSv1.3' }

const tls = refine(
  section(
    {
      certificate: text,
      key: text,
      clientcas: listOf(text),
      clientauth: oneOf('request-client-cert', 'require-any-client-cert', 'verify-client-cert-if-given', 'require-and-verify-client-cert'),
      minimumtls: oneOf('tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'),
      ciphersuites: listOf(text),
    },
    { letsencrypt: 'let an ACME client write the files; they are read again when they change' },
  ),
  (given, path): TlsConfig | undefined => {
    if (Object.keys(given).length === 0) return undefined
    const clientCas = given.clientcas ?? []
    const mode = given.clientauth ?? 'require-and-verify-client-cert'
    const verify = mode.includes('verify')
    if (given.clientauth !== undefined && verify && clientCas.length === 0) throw new Error(`${path}.clientcas: is required`)
    const asked = given.clientauth !== undefined || clientCas.length > 0
    return {
      certificate: required(given.certificate, path, 'certificate'),
      key: required(given.key, path, 'key'),
      clientCas,
      clientAuth: { request: asked, require: asked && mode.startsWith('require-'), verify: asked && verify },
      minVersion: VERSIONS[given.minimumtls ?? 'tls1.2'] ?? 'TLSv1.2',
      ciphers: given.ciphersuites?.map(opensslCipher).join(':'),
    }
  },
)

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256` to OpenSSL; the suites of TLS 1.3 have one name. */
function opensslCipher(name: string): string {
  if (!name.includes('_WITH_')) return name
  return name
    .replace(/^TLS_/, '')
    .replace('RSA_WITH_', name.startsWith('TLS_RSA') ? '' : 'RSA_')
    .replace('ECDSA_WITH_', 'ECDSA_')
    .replace(/AES_(128|256)_CBC/, 'AES$1')
    .replace(/AES_(128|256)/, 'AES$1')
    .replace('POLY1305_SHA256', 'POLY1305')
    .replaceAll('_', '-')
}

const debug = section({ addr: text, prometheus: section({ enabled: flag, path: text }) })

/** `http`. */
export const httpSection: Shape<HttpConfig> = refine(
  section({
    addr: text,
    net: oneOf('tcp', 'unix'),
    prefix: text,
    host: text,
    secret: needless(text, 'no state is kept with clients that would have to be signed'),
    relativeurls: needless(flag, 'URLs in headers have no host, which every client takes'),
    draintimeout: duration,
    tls,
    headers: mapOf(listOf(text)),
    debug,
    http2: section({ disabled: needless(flag, 'HTTP/1.1 is what is spoken') }),
    h2c: section({ enabled: needless(flag, 'HTTP/1.1 is what is spoken') }),
  }),
  (given, path): HttpConfig => {
    if ((given.prefix ?? '/') !== '/')
      throw new Error(`${path}.prefix: not supported: clients want /v2/ at the root; give it a host name of its own`)
    const prometheus = given.debug?.prometheus
    const address = given.addr ?? ':5000'
    return {
      listen: given.net === 'unix' ? { kind: 'unix', path: address } : tcpPlace(address, `${path}.addr`),
      externalUrl: given.host === undefined || given.host === '' ? undefined : externalUrl(given.host, `${path}.host`),
      drainTimeout: given.draintimeout ?? 10_000,
      tls: given.tls ?? absent(tls, `${path}.tls`),
      headers: given.headers ?? {},
      debug: given.debug?.addr === undefined ? undefined : tcpPlace(given.debug.addr, `${path}.debug.addr`),
      metricsPath: prometheus?.enabled === true ? (prometheus.path ?? '/metrics') : undefined,
    }
  },
)

/** `:5000`, `127.0.0.1:5000`, `[::1]:5000`. */
function tcpPlace(address: string, path: string): ListenPlace {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(address) ?? []
  if (digits === undefined || Number(digits) > 65535) throw new Error(`${path}: cannot use ${JSON.stringify(address)}: wanted is HOST:PORT`)
  return { kind: 'tcp', host: bracketed ?? plain ?? '', port: Number(digits) }
}

function externalUrl(host: string, path: string): string {
  const url = URL.parse(host.includes('://') ? host : `https://${host}`)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error(`${path}: cannot use ${JSON.stringify(host)}: wanted is a URL`)
  return url.origin
}
