import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '#errors'
import type { RegistryHost } from '../types.ts'

/**
 * Certificates as dockerd finds them in `certs.d/<host>`: `*.crt` are CAs, `x.cert` with `x.key` client certificates.
 * Throws INVALID_ARGUMENT with Docker's texts for half of a pair. Source: moby v28 registry/registry.go, `loadTLSConfig`.
 */
export function readCertificates(directory: string | undefined): Pick<RegistryHost['tls'], 'ca' | 'clients'> {
  if (directory === undefined) return { ca: [], clients: [] }
  const names = readdirSync(directory).sort()
  const read = (name: string): Buffer => readFileSync(join(directory, name))
  for (const name of names.filter((name) => name.endsWith('.key'))) {
    const cert = `${name.slice(0, -'.key'.length)}.cert`
    if (!names.includes(cert)) throw invalidArgument(`missing client certificate ${cert} for key ${name}`)
  }
  return {
    ca: names.filter((name) => name.endsWith('.crt')).map(read),
    clients: names
      .filter((name) => name.endsWith('.cert'))
      .map((cert) => {
        const key = `${cert.slice(0, -'.cert'.length)}.key`
        if (!names.includes(key))
          throw invalidArgument(`missing key ${key} for client certificate ${cert}. CA certificates must use the extension .crt`)
        return { cert: read(cert), key: read(key) }
      }),
  }
}
