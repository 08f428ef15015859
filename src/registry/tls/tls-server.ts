import type { ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { TlsConfig } from '../config/http-section.ts'
import { readTlsFiles, sameTlsFiles } from './tls-files.ts'

export interface TlsServer {
  readonly server: Server
  /** Takes over changed files for new connections. Throws, and leaves everything as it is, when they cannot be used. True: they had changed. */
  reload(): Promise<boolean>
}

/** An HTTPS server whose certificates can be renewed while it runs. */
export async function createTlsServer(config: TlsConfig, options: ServerOptions): Promise<TlsServer> {
  let current = await readTlsFiles(config)
  const { request, require, verify } = config.clientAuth
  const server = createServer({ ...options, ...current, requestCert: request, rejectUnauthorized: require && verify })
  if (request && !(require && verify)) {
    server.on('secureConnection', (socket) => {
      if (isRefused(socket, { require, verify })) socket.destroy()
    })
  }
  return {
    server,
    async reload() {
      const next = await readTlsFiles(config)
      if (sameTlsFiles(next, current)) return false
      server.setSecureContext(next)
      current = next
      return true
    },
  }
}

/** The modes between "nobody is asked" and "everybody must", which node does not know. */
function isRefused(socket: TLSSocket, { require, verify }: { require: boolean; verify: boolean }): boolean {
  const hasCertificate = Object.keys(socket.getPeerCertificate()).length > 0
  return hasCertificate ? verify && !socket.authorized : require
}
