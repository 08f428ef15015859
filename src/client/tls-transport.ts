import tls from 'node:tls'
import type { TlsMaterial } from './endpoint.ts'
import { transportOver, type Transport } from './transport.ts'

/** A TLS connection; the client certificate, if any, is what a daemon with `--tlsverify` asks for. */
export function tlsTransport(host: string, port: number, material: TlsMaterial): Transport {
  const socket = tls.connect({
    host,
    port,
    // SNI carries names only; node refuses IP addresses here.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(material.ca === undefined ? {} : { ca: material.ca }),
    ...(material.cert === undefined ? {} : { cert: material.cert }),
    ...(material.key === undefined ? {} : { key: material.key }),
    rejectUnauthorized: material.verify,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    allowHalfOpen: true,
  } as tls.ConnectionOptions)
  const transport = transportOver(socket)
  socket.on('data', (chunk: Buffer) => transport.listener.onData(chunk))
  return transport
}
