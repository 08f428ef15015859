/**
 * Where logins are kept: `auths` of config.json, or a credential helper (`credHelpers` for one registry, `credsStore` for all). The key of Docker Hub is
 * an address from its early days; every other registry is filed under `host[:port]`.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Cli } from '../cli.ts'
import { configPath, type AuthConfig, type ConfigFile } from './config-file.ts'
import { credentialHelper } from './credential-helper.ts'
import { updateConfigFile } from './update-config-file.ts'

/** How Docker Hub's credentials are filed. */
export const HUB_KEY = 'https://index.docker.io/v1/'

type CredentialCli = Pick<Cli, 'config' | 'configDirectory' | 'env' | 'warn'>

/** Key of a registry that is named as in a reference. */
export function credentialKey(domain: string): string {
  return domain === 'docker.io' || domain === 'index.docker.io' ? HUB_KEY : domain
}

/** `host[:port]` of a URL or of a name with a path. */
export function hostnameOf(server: string): string {
  if (server.includes('://') && URL.canParse(server)) {
    const { host } = new URL(server)
    if (host !== '') return host
  }
  return server.split('/', 1)[0] ?? ''
}

/** Stored credentials, empty where there are none. Throws Error when the helper fails. */
export function getCredentials(cli: Pick<Cli, 'config' | 'env'>, key: string): AuthConfig {
  const helper = helperFor(cli, key)
  return helper === '' ? fromFile(cli.config, key) : (credentialHelper(helper, cli.env).get(key) ?? {})
}

/** The same for commands that go on without: a helper that fails has none, as with Docker. */
export function storedAuth(cli: Pick<Cli, 'config' | 'env'>, key: string): AuthConfig {
  try {
    return getCredentials(cli, key)
  } catch {
    return {}
  }
}

/** Keeps a login, after a warning when a password goes into the file. Nothing happens when it is there already. Throws Error when it cannot be kept. */
export function storeCredentials(cli: CredentialCli, key: string, auth: AuthConfig): void {
  const helper = helperFor(cli, key)
  if (helper !== '') {
    credentialHelper(helper, cli.env).store(key, auth)
    // The file says that there is a login, and with whom.
    if (cli.config.auths?.[key] === undefined || cli.config.credsStore !== helper)
      updateConfigFile(cli.configDirectory, (config) => {
        if (cli.config.credHelpers?.[key] === undefined) config.credsStore = helper
        config.auths = { ...config.auths, [key]: {} }
      })
    return
  }
  const { username = '', password = '', identitytoken = '' } = auth
  const known = cli.config.auths?.[key] === undefined ? undefined : fromFile(cli.config, key)
  if (known?.username === username && (known.password ?? '') === password && (known.identitytoken ?? '') === identitytoken) return
  updateConfigFile(cli.configDirectory, (config) => {
    const encoded = Buffer.from(`${username}:${password}`).toString('base64')
    config.auths = { ...config.auths, [key]: { auth: encoded, ...(identitytoken === '' ? {} : { identitytoken }) } }
  })
  if (password !== '') {
    cli.warn(
      `\nWARNING! Your credentials are stored unencrypted in '${configPath(cli.configDirectory)}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n`,
    )
  }
}

/** Throws Error when the helper fails; what is not there is gone already. */
export function eraseCredentials(cli: CredentialCli, key: string): void {
  const helper = helperFor(cli, key)
  if (helper !== '') credentialHelper(helper, cli.env).erase(key)
  if (cli.config.auths?.[key] === undefined) return
  updateConfigFile(cli.configDirectory, (config) => {
    delete config.auths?.[key]
  })
}

function fromFile({ auths = {} }: ConfigFile, key: string): AuthConfig {
  // Older clients have filed them under URLs.
  const entry = auths[key] ?? Object.entries(auths).find(([name]) => hostnameOf(name) === key)?.[1]
  if (entry === undefined || entry === null) return {}
  const { auth = '', ...rest } = entry
  if (auth === '') return rest
  const plain = Buffer.from(auth, 'base64').toString('utf8')
  const colon = plain.indexOf(':')
  return { ...rest, username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, '') }
}

/** Name of the helper for a registry; empty: the file. */
function helperFor({ config, env }: Pick<Cli, 'config' | 'env'>, key: string): string {
  return config.credHelpers?.[key] ?? config.credsStore ?? detectedHelper(config, env)
}

/** Who has never logged in gets the helper that the machine has: `pass`, or the desktop's key ring. Source: docker/cli `DetectDefaultStore`. */
function detectedHelper({ auths = {}, credHelpers = {} }: ConfigFile, env: Cli['env']): string {
  if (Object.keys(auths).length > 0 || Object.keys(credHelpers).length > 0) return ''
  const name = isOnPath('pass', env) ? 'pass' : 'secretservice'
  return isOnPath(`docker-credential-${name}`, env) ? name : ''
}

function isOnPath(program: string, env: Cli['env']): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
