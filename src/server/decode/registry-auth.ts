/** What a client sends for registries: credentials in `X-Registry-Auth`, and headers that are passed on. */

import type { IncomingHttpHeaders } from 'node:http'
import type { AuthConfig } from '#api'
import type { Credentials } from '#remotes'
import { authConfig } from '../wire/auth-config.ts'

/** Far more than any token needs. */
const MAX_HEADER_LENGTH = 64 * 1024

const MEMBERS: readonly (readonly [wire: keyof AuthConfig, member: keyof Credentials])[] = [
  ['username', 'username'],
  ['password', 'password'],
  ['identitytoken', 'identityToken'],
  ['registrytoken', 'registryToken'],
]

/**
 * Credentials of `X-Registry-Auth`, base64 or base64url of a JSON object. What cannot be read counts as none: clients send all sorts of things for
 * "no credentials", and Docker has always let them. Source: moby `authconfig.Decode` and its callers.
 */
export function registryCredentials(headers: IncomingHttpHeaders): Credentials | undefined {
  const header = headers['x-registry-auth']
  if (typeof header !== 'string' || header === '' || header.length > MAX_HEADER_LENGTH) return undefined
  try {
    // Node's decoder takes both alphabets. No version of the API has had other members.
    return credentialsOf(authConfig.decode(JSON.parse(Buffer.from(header, 'base64').toString('utf8')), 0))
  } catch {
    return undefined
  }
}

/**
 * Credentials by registry of `X-Registry-Config`, which a build sends: it may pull from several. As above, what cannot be read counts as none. Docker Hub is
 * `https://index.docker.io/v1/`, others are named by host, or by a URL.
 */
export function registryConfig(headers: IncomingHttpHeaders): Record<string, Credentials> {
  const header = headers['x-registry-config']
  if (typeof header !== 'string' || header === '') return {}
  try {
    const config: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
    return Object.fromEntries(
      Object.entries(config ?? {}).flatMap(([registry, value]: [string, unknown]) => {
        const credentials = credentialsOf(authConfig.decode(value, 0))
        return credentials === undefined ? [] : [[hostOf(registry), credentials]]
      }),
    )
  } catch {
    return {}
  }
}

function hostOf(registry: string): string {
  const host = registry.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return host === 'index.docker.io' ? 'docker.io' : host
}

/** Credentials of an AuthConfig object; undefined when there is nothing in it to log in with. */
export function credentialsOf(config: AuthConfig): Credentials | undefined {
  const credentials: Credentials = {}
  for (const [wire, member] of MEMBERS) {
    const value = config[wire] ?? ''
    if (value !== '') credentials[member] = value
  }
  // The form of config.json: base64 of `user:password`.
  const { auth = '' } = config
  if (credentials.username === undefined && auth !== '') {
    const plain = Buffer.from(auth, 'base64').toString('utf8')
    const colon = plain.indexOf(':')
    if (colon > 0) Object.assign(credentials, { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, '') })
  }
  return Object.keys(credentials).length > 0 ? credentials : undefined
}

/** `X-Meta-*` headers of the client, which registries get to see. */
export function registryHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('x-meta-'))
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}
