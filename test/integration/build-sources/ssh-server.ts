import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { TestHost } from '../../harness/index.ts'
import { hasGit, makeRepository, type GitRepository } from './git-server.ts'

/** Repositories behind OpenSSH's server on a test host, for who has the key; `git://127.0.0.1/<name>.git` has them for everybody. */
export interface SshServer extends AsyncDisposable {
  /** For keys, sockets and projects of the test. */
  readonly directory: string
  /** Path of the private key that opens it. The root of the test host has it, too. */
  readonly key: string
  /** Its line of a file `known_hosts`. */
  readonly knownHost: string
  /** A repository `git@127.0.0.1:<name>.git`. */
  repository(name: string): GitRepository
  /** A new key pair; gives the path of the private one. */
  makeKey(name: string): string
  /** A process of ssh-agent that has these keys; gives its socket. */
  startAgent(...keys: string[]): string
}

/** What has to be installed, unless it is. */
export function sshMissing(): string | false {
  const missing = ['/usr/sbin/sshd', '/usr/bin/ssh-agent', '/usr/bin/ssh'].filter((path) => !existsSync(path))
  if (!hasGit()) missing.push('git')
  return missing.length > 0 && `not installed: ${missing.join(', ')}`
}

/** On port 22, which nobody else has on a test host. */
export async function startSshServer(host: TestHost): Promise<SshServer> {
  await using undo = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'ssh-server-'))
  undo.defer(() => rmSync(directory, { recursive: true }))
  // Its user is to find the repositories.
  chmodSync(directory, 0o755)

  const makeKey = (name: string): string => {
    const path = join(directory, name)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path])
    return path
  }
  const [hostKey, key] = [makeKey('host-key'), makeKey('key')]
  writeSettings(directory, hostKey, key)
  host.must(['mount', '--bind', join(directory, 'passwd'), '/etc/passwd'])
  // In a mount namespace of its own, where it has its directory for unprivileged processes.
  const mounts = 'mount -t tmpfs tmpfs /run && mkdir /run/sshd'
  const server = ['unshare', '-m', 'sh', '-c', `${mounts} && exec /usr/sbin/sshd -D -e -f ${directory}/sshd_config`]
  undo.use(await start(host, server, /^Server listening/))
  // The same for everybody, by `git://`.
  const daemon = ['git', 'daemon', '--verbose', '--export-all', '--listen=127.0.0.1', `--base-path=${directory}/bare`]
  undo.use(await start(host, daemon, /Ready to rumble/))
  const [type, value] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ')
  const kept = undo.move()
  let agents = 0
  return {
    directory,
    key,
    knownHost: `127.0.0.1 ${type} ${value}`,
    repository: (name) => makeRepository(directory, name, `git@127.0.0.1:${name}.git`),
    makeKey,
    startAgent(...keys) {
      const socket = join(directory, `agent-${++agents}`)
      const said = execFileSync('ssh-agent', ['-a', socket], { encoding: 'utf8' })
      const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1])
      kept.defer(() => void process.kill(pid))
      for (const path of keys) execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' })
      return socket
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** A program that says on its standard error when it is ready. */
async function start(host: TestHost, command: readonly string[], isReady: RegExp): Promise<AsyncDisposable> {
  const [program = '', ...args] = host.wrap(command)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  await untilLine(child.stderr, isReady)
  return {
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
    },
  }
}

/** Goes on reading, so that who writes is not held up. Throws Error with what was said when the stream ends without such a line. */
async function untilLine(stream: Readable, wanted: RegExp): Promise<void> {
  const said: string[] = []
  const lines = createInterface({ input: stream })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  lines.on('line', (line) => {
    said.push(line)
    if (wanted.test(line)) resolve()
  })
  lines.on('close', () => reject(new Error(`it ended: ${said.join('\n')}`)))
  await promise
}

/** The user `git` is at home where the repositories are, which belong to who made them; root where the key is. */
function writeSettings(directory: string, hostKey: string, key: string): void {
  const [home, rootHome] = [join(directory, 'bare'), join(directory, 'root')]
  mkdirSync(home)
  mkdirSync(join(rootHome, '.ssh'), { recursive: true })
  writeFileSync(join(home, '.gitconfig'), '[safe]\n\tdirectory = *\n')
  copyFileSync(key, join(rootHome, '.ssh/id_ed25519'))
  const users = readFileSync('/etc/passwd', 'utf8').replace(/^(root:.*):[^:]*(:[^:]*)$/m, `$1:${rootHome}$2`)
  writeFileSync(join(directory, 'passwd'), `${users}git:*:61022:61022::${home}:/bin/sh\n`)
  const settings = {
    ListenAddress: '127.0.0.1:22',
    HostKey: hostKey,
    AuthorizedKeysFile: `${key}.pub`,
    AllowUsers: 'git',
    AuthenticationMethods: 'publickey',
    StrictModes: 'no',
    UsePAM: 'no',
    PidFile: 'none',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`)
  writeFileSync(join(directory, 'sshd_config'), lines.join(''))
}
