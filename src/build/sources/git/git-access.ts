import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '#errors'
import type { GitSource } from '../../graph/types.ts'
import { openAgentSocket } from '../../run/agent-socket.ts'
import { requireAgent } from '../../run/require-agent.ts'
import type { BuildSession } from '../../session.ts'
import type { GitOptions } from './git-program.ts'

/** How a remote may be reached: what only this build's client may use. Disposing takes sockets and files away. */
export interface GitAccess extends AsyncDisposable {
  /** Without user and password where these were of the web's kind. */
  readonly remote: string
  readonly options: Required<Pick<GitOptions, 'config' | 'environment'>>
}

/** GitHub's token is good for all of its repositories, submodules among them, as with actions/checkout. */
const SHARED_TOKENS = ['https://github.com/', 'https://www.github.com/']

/** `directory`: for sockets and files, nobody but root gets into it. */
export async function openAccess(source: GitSource, session: BuildSession, directory: string): Promise<GitAccess> {
  await using undo = new AsyncDisposableStack()
  const { remote, login } = splitLogin(source.remote)
  const authorization = (await authorizationOf(source, session)) ?? login
  const config: [string, string][] = []
  if (authorization !== undefined) {
    const scope = SHARED_TOKENS.find((prefix) => remote.startsWith(prefix)) ?? remote
    config.push([`http.${scope}.extraheader`, `Authorization: ${authorization}`])
  }
  const environment = await openSsh(source, session, directory, undo)
  const kept = undo.move()
  return { remote, options: { config, environment }, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** `https://me:secret@host/x` → `https://host/x` and the login: addresses are seen in process lists, and kept in `.git/config`. Throws INVALID_ARGUMENT. */
export function splitLogin(remote: string): { remote: string; login?: string } {
  const url = /^https?:/i.test(remote) ? URL.parse(remote) : null
  if (url === null || (url.username === '' && url.password === '')) return { remote }
  const login = basic(decoded(url.username), decoded(url.password))
  url.username = ''
  url.password = ''
  return { remote: url.href, login }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    // Without the text: it may be a password.
    throw invalidArgument('invalid URL escape in the user or password of a Git remote', error)
  }
}

/** A header as it is, or a token, for this host or for any. Source: moby/buildkit source/git, authSecretNames. */
async function authorizationOf(source: GitSource, session: BuildSession): Promise<string | undefined> {
  const { authHeaderSecret: header, authTokenSecret: token } = source
  const host = URL.parse(source.remote)?.host ?? ''
  const places = [
    { id: `${header}.${host}`, isToken: false, isNamed: header !== '' && host !== '' },
    { id: `${token}.${host}`, isToken: true, isNamed: token !== '' && host !== '' },
    { id: header, isToken: false, isNamed: header !== '' },
    { id: token, isToken: true, isNamed: token !== '' },
  ]
  for (const { id, isToken, isNamed } of places) {
    const value = isNamed ? await session.secret(id) : undefined
    if (value === undefined) continue
    const text = Buffer.from(value).toString().trim()
    return isToken ? basic('x-access-token', text) : text
  }
  return undefined
}

function basic(user: string, password: string): string {
  return `basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/**
 * Keys are the client's only: not those that root of this host may have. So it is for every remote: ssh looks for keys where the user's home is, whatever HOME
 * says. Attack: a repository on the web with a submodule `git@host:private.git`, which the host may read.
 */
async function openSsh(
  { ssh, knownHosts }: GitSource,
  session: BuildSession,
  directory: string,
  undo: AsyncDisposableStack,
): Promise<Record<string, string>> {
  const place = join(directory, `ssh-${randomUUID()}`)
  if (ssh !== undefined || knownHosts !== undefined) {
    mkdirSync(place, { recursive: true, mode: 0o700 })
    undo.defer(() => rmSync(place, { recursive: true, force: true }))
  }
  const options = ['BatchMode=yes', 'IdentityFile=none']
  const environment: Record<string, string> = {}
  if (ssh !== undefined) {
    await requireAgent(session, ssh)
    const owner = { mode: 0o600, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    const socket = undo.use(await openAgentSocket(join(place, 'agent'), owner, () => session.forwardAgent(ssh)))
    environment['SSH_AUTH_SOCK'] = socket.shortPath
  }
  if (knownHosts !== undefined) {
    const file = join(place, 'known_hosts')
    writeFileSync(file, `${knownHosts}\n`, { mode: 0o600 })
    options.push('StrictHostKeyChecking=yes', `UserKnownHostsFile="${file}"`)
  } else {
    options.push('StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null')
  }
  const words = ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', option])]
  environment['GIT_SSH_COMMAND'] = words.map(quoted).join(' ')
  return environment
}

/** For sh. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
