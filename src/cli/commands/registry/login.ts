/** `docker login`: log in to a registry. */
import { isUnauthorized, registryLogin } from '#client'
import type { Cli } from '../../cli.ts'
import { between, defineCommand, OK, type Command } from '../../command.ts'
import type { AuthConfig } from '../../config/config-file.ts'
import { getCredentials, hostnameOf, HUB_KEY, storeCredentials } from '../../config/credentials.ts'
import { errorText } from '../../errors.ts'
import { bool, string } from '../../parser/flag.ts'
import { printNote } from '../../terminal/note.ts'
import { promptCredentials } from './prompt-credentials.ts'

export const command: Command = defineCommand({
  use: 'login [OPTIONS] [SERVER]',
  short: 'Authenticate to a registry',
  long: `Authenticate to a registry.
Defaults to Docker Hub if no server is specified.`,
  args: between(0, 1),
  flags: {
    password: string('Password or Personal Access Token (PAT)', { short: 'p' }),
    'password-stdin': bool('Take the Password or Personal Access Token (PAT) from stdin'),
    username: string('Username', { short: 'u' }),
  },
  async run(cli, { flags, args }) {
    const { username } = flags
    const password = await givenPassword(cli, flags)
    const [server = ''] = args
    const key = server === '' || server === 'docker.io' ? HUB_KEY : server === HUB_KEY ? server : hostnameOf(server)
    const stored = username === '' && password === '' ? tryStored(cli, key) : {}
    const status =
      (await loginStored(cli, key, stored)) ?? (await loginAs(cli, key, { username, password, defaultUsername: stored.username ?? '' }))
    if (status !== '') cli.print(status)
    return OK
  },
})

/** The password of the flags, or all of standard input. */
async function givenPassword(cli: Cli, flags: { username: string; password: string; 'password-stdin': boolean }): Promise<string> {
  const { username, password } = flags
  if (!flags['password-stdin']) {
    if (password !== '') cli.warn('WARNING! Using --password via the CLI is insecure. Use --password-stdin.')
    return password
  }
  if (password !== '') throw new Error('conflicting options: cannot specify both --password and --password-stdin')
  if (username === '') throw new Error('the --password-stdin option requires --username to be set')
  const chunks = await Array.fromAsync(process.stdin as AsyncIterable<Buffer>)
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

function tryStored(cli: Cli, key: string): AuthConfig {
  try {
    return getCredentials(cli, key)
  } catch {
    return {} // a helper that fails: the user is asked, as with Docker
  }
}

/** Undefined when there is nothing stored, or it is not valid any more. */
async function loginStored(cli: Cli, key: string, { username = '', password = '' }: AuthConfig): Promise<string | undefined> {
  if (username === '' || password === '') return undefined
  cli.warn(`Authenticating with existing credentials... [Username: ${username}]`)
  printNote(cli.stderr, "To login with a different account, run 'docker logout' followed by 'docker login'")
  cli.stderr.write('\n\n')
  try {
    return await check(cli, key, { username, password, serveraddress: key })
  } catch (error) {
    cli.warn(isUnauthorized(error) ? 'Stored credentials invalid or expired' : `Login did not succeed, error: ${errorText(error)}`)
    return undefined
  }
}

async function loginAs(cli: Cli, key: string, known: Parameters<typeof promptCredentials>[2]): Promise<string> {
  const isAsking = known.username === '' || known.password === ''
  if (isAsking && !process.stdin.isTTY) throw new Error('Error: Cannot perform an interactive login from a non TTY device')
  if (key === HUB_KEY && known.username === '' && known.password === '')
    cli.warn('Web-based login is not supported: log in with your user name and a password or Personal Access Token (PAT).\n')
  return check(cli, key, await promptCredentials(cli, key, known))
}

/** Asks the registry, through the daemon, and keeps what it accepted: the password, or the token it gave instead. */
async function check(cli: Cli, key: string, auth: AuthConfig): Promise<string> {
  const { Status, IdentityToken } = await registryLogin(cli.engine(), auth)
  const { username = '', password = '' } = auth
  try {
    storeCredentials(cli, key, IdentityToken === '' ? { username, password } : { username, identitytoken: IdentityToken })
  } catch (error) {
    throw new Error(`Error saving credentials: ${(error as Error).message}`, { cause: error })
  }
  return Status
}
