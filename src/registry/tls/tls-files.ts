import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsConfig } from '../config/http-section.ts'

/** Reads the files anew. Throws Error when one cannot be read or they do not belong together. */
export async function readTlsFiles({ certificate, key, clientCas, minVersion, ciphers }: TlsConfig): Promise<SecureContextOptions> {
  const read = async (path: string, what: string): Promise<Buffer> => {
    try {
      return await readFile(path)
    } catch (cause) {
      throw new Error(`cannot read TLS ${what} ${path}: ${(cause as Error).message}`, { cause })
    }
  }
  const context: SecureContextOptions = {
    cert: await read(certificate, 'certificate'),
    key: await read(key, 'key'),
    minVersion,
    ...(clientCas.length > 0 && { ca: await Promise.all(clientCas.map((path) => read(path, 'client CA'))) }),
    ...(ciphers !== undefined && { ciphers }),
  }
  try {
    createSecureContext(context)
  } catch (cause) {
    throw new Error(`cannot use TLS certificate ${certificate} with key ${key}: ${(cause as Error).message}`, { cause })
  }
  return context
}

/** Whether two readings are the same. */
export function sameTlsFiles(a: SecureContextOptions, b: SecureContextOptions): boolean {
  const bytes = ({ cert, key, ca }: SecureContextOptions): Buffer =>
    Buffer.concat([cert, key, ...(Array.isArray(ca) ? ca : [])].filter((part) => Buffer.isBuffer(part)))
  return bytes(a).equals(bytes(b))
}
