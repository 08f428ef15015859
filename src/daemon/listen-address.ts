import { isIP } from 'node:net'

/** Where the API is served. */
export type ListenAddress =
  | { kind: 'unix'; path: string }
  | {
      kind: 'tcp'
      /** Empty: all addresses. */
      host: string
      port: number
    }

const PLAIN_PORT = 2375
const TLS_PORT = 2376

/**
 * A `--host` value: `unix://PATH`, `tcp://[HOST][:PORT]`, or `HOST:PORT` as dockerd takes it. Throws Error with dockerd's text. `fd://` needs socket
 * activation, which is not there yet.
 */
export function parseListenAddress(text: string, tls: boolean): ListenAddress {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(text) ?? []
  if (scheme === 'unix') {
    if (!rest.startsWith('/')) throw new Error(`invalid unix socket path: ${JSON.stringify(rest)} must be absolute`)
    return { kind: 'unix', path: rest }
  }
  if (scheme === 'fd') throw new Error('fd:// is not supported: listen on unix:// or tcp://')
  if (scheme !== 'tcp') throw new Error(`invalid bind address format: ${text}`)
  const port = tls ? TLS_PORT : PLAIN_PORT
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(rest)
  const [host = '', given] = bracketed === null ? splitPort(rest) : [bracketed[1], bracketed[2]]
  const number = given === undefined || given === '' ? port : Number(given)
  if (!Number.isInteger(number) || number < 0 || number > 65535) throw new Error(`invalid bind address format: ${text}`)
  return { kind: 'tcp', host, port: number }
}

function splitPort(rest: string): [string, string | undefined] {
  const at = rest.lastIndexOf(':')
  return at < 0 ? [rest, undefined] : [rest.slice(0, at), rest.slice(at + 1)]
}

/** Only processes of this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** As the ready line names it. */
export function showAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return address.path
  const host = address.host === '' ? '[::]' : address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}
