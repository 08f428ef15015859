import type { Cli } from '../cli.ts'
import type { AuthConfig } from './config-file.ts'
import { credentialKey, storedAuth } from './credentials.ts'

/** The value of `X-Registry-Auth` for a registry as named in a reference: empty credentials when none are stored. */
export function registryAuth(cli: Cli, domain: string): string {
  const key = credentialKey(domain)
  return encodeAuth({ ...storedAuth(cli, key), serveraddress: key })
}

/** base64url JSON. */
export function encodeAuth(auth: AuthConfig): string {
  return Buffer.from(JSON.stringify(auth)).toString('base64url')
}
