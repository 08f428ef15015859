import { execFileSync } from 'node:child_process'
import type { Cli } from '../cli.ts'
import type { AuthConfig } from './config-file.ts'

/** How Docker Hub's credentials are filed. */
const HUB_KEY = 'https://index.docker.io/v1/'
/** User name under which credential helpers file identity tokens. */
const TOKEN_USER = '<token>'
const HELPER_TIMEOUT = 30_000

/** The value of `X-Registry-Auth` for a registry: base64url JSON, empty credentials when none are stored. */
export async function registryAuth(cli: Cli, domain: string): Promise<string> {
  const key = domain === 'docker.io' ? HUB_KEY : domain
  const auth = { ...storedAuth(cli, key), serveraddress: key }
  return Buffer.from(JSON.stringify(auth)).toString('base64url')
}

/** Stored credentials for a key of `auths`; a helper of the registry, or the one for all, comes before the file. */
export function storedAuth(cli: Cli, key: string): AuthConfig {
  const helper = cli.config.credHelpers?.[key] ?? cli.config.credsStore
  if (helper !== undefined && helper !== '') return askHelper(helper, key)
  const stored = cli.config.auths?.[key]
  if (stored === undefined) return {}
  if (stored.auth === undefined || stored.auth === '') return stored
  const plain = Buffer.from(stored.auth, 'base64').toString('utf8')
  const colon = plain.indexOf(':')
  const credentials = { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, '') }
  return stored.identitytoken === undefined ? credentials : { ...credentials, identitytoken: stored.identitytoken }
}

/** `docker-credential-<name> get`: the server on standard input, JSON on standard output; no entry is no error. */
function askHelper(name: string, key: string): AuthConfig {
  let answer: string
  try {
    answer = execFileSync(`docker-credential-${name}`, ['get'], {
      input: key,
      encoding: 'utf8',
      timeout: HELPER_TIMEOUT,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
  } catch {
    return {}
  }
  const { Username = '', Secret = '' } = JSON.parse(answer) as { Username?: string; Secret?: string }
  return Username === TOKEN_USER ? { identitytoken: Secret } : { username: Username, password: Secret }
}
