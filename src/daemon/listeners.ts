import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { API_SERVER_OPTIONS } from '#server'
import type { DaemonConfig } from './config/daemon-config.ts'
import { groupId } from './group-id.ts'
import { isLoopback, type ListenAddress } from './listen-address.ts'
import type { Logger } from './logger.ts'

export interface Listener {
  readonly server: Server
  /** With the port that was chosen for port 0. */
  readonly address: ListenAddress
}

type ListenOptions = Pick<DaemonConfig, 'group' | 'tls'> & { logger: Logger }

/**
 * Opens one listening socket. `prepare` gets the server before it listens, so that no request can come in unanswered. Throws Error with dockerd's
 * text. The caller closes the server.
 */
export async function listen(address: ListenAddress, options: ListenOptions, prepare: (server: Server) => void): Promise<Listener> {
  if (address.kind === 'unix') {
    const server = createServer(API_SERVER_OPTIONS)
    prepare(server)
    await listenUnix(server, address.path, options)
    return { server, address }
  }
  const server = tcpServer(address, options)
  prepare(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: address.port, ...(address.host !== '' && { host: address.host }) }, () => resolve())
  })
  return { server, address: { ...address, port: (server.address() as AddressInfo).port } }
}

/** Whoever reaches the socket is root on this machine: only the owner and the group may. */
async function listenUnix(server: Server, path: string, { group, logger }: ListenOptions): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  await removeStale(path)
  const gid = groupId(group.name)
  if (gid === undefined && group.explicit) throw new Error(`failed to create listener: group ${group.name} not found`)
  if (gid === undefined) logger.warn(`could not change group ${path} to ${group.name}: group ${group.name} not found`)
  // The socket appears with its final mode less the group's: nobody can connect in between.
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(umask)
  }
  if (gid !== undefined) chownSync(path, 0, gid)
  chmodSync(path, 0o660)
}

/** A killed daemon leaves its socket behind; one that answers belongs to a living program. */
async function removeStale(path: string): Promise<void> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSocket()) throw new Error(`cannot listen on ${path}: it exists and is no socket`)
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
    probe.once('close', () => probe.destroy())
    probe.on('connect', () => probe.destroy())
  })
  if (alive) throw new Error(`cannot listen on ${path}: another program listens there`)
  rmSync(path, { force: true })
}

/**
 * Plain TCP gives root to whoever can reach it: only for loopback, or when it was asked for in so many words. Checked before anything is started.
 * Throws Error.
 */
export function refuseUnsafe(address: ListenAddress, tls: DaemonConfig['tls']): void {
  if (address.kind === 'unix' || tls.enabled || tls.plainAllowed || isLoopback(address.host)) return
  throw new Error(
    `refusing to bind to tcp://${hostAndPort(address)} without TLS: use --tlsverify, or --tls=false to serve everybody who can reach it as root`,
  )
}

function hostAndPort({ host, port }: Extract<ListenAddress, { kind: 'tcp' }>): string {
  return `${host === '' ? '0.0.0.0' : host}:${port}`
}

function tcpServer(address: Extract<ListenAddress, { kind: 'tcp' }>, { tls, logger }: ListenOptions): Server {
  if (!tls.enabled) {
    const name = hostAndPort(address)
    logger.warn(`API is accessible on http://${name} without encryption: access to the API is equivalent to root access to the host`)
    return createServer(API_SERVER_OPTIONS)
  }
  return createTlsServer({
    ...API_SERVER_OPTIONS,
    cert: readPem(tls.cert, 'certificate'),
    key: readPem(tls.key, 'key'),
    ...(tls.verify && { ca: readPem(tls.ca, 'CA certificate'), requestCert: true, rejectUnauthorized: true }),
    minVersion: 'TLSv1.2',
  })
}

function readPem(path: string, what: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Error(`could not read TLS ${what} (${path}): ${(cause as Error).message}`, { cause })
  }
}
