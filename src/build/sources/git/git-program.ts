import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { EngineError } from '#errors'

/** How git is to be run. */
export interface GitOptions {
  /** `--git-dir`; absent: it needs no repository. */
  gitDirectory?: string
  /** `--work-tree`, and where it runs. */
  workTree?: string
  /** Settings for this run, by name: `http.extraheader`. Not on the command line, where every user of the host could read them. */
  config?: readonly (readonly [name: string, value: string])[]
  /** Protocols that it may use, also for submodules; the ones for remotes when absent. */
  protocols?: 'file'
  /** `SSH_AUTH_SOCK`, `GIT_SSH_COMMAND` … */
  environment?: Readonly<Record<string, string>>
  signal: AbortSignal
  /** Hears what it says about its progress. */
  log?: (text: Buffer) => void
}

/** Runs git. Gives what it writes to standard output. Throws {@link GitFailure}, UNAVAILABLE when there is no git, the signal's reason. */
export type GitProgram = (args: readonly string[], options: GitOptions) => Promise<string>

/** git ended with a failure; the message is what it said. */
export class GitFailure extends EngineError {
  constructor(stderr: string, status: string) {
    super('INTERNAL', `git stderr:\n${stderr}: ${status}`)
    this.name = 'GitFailure'
  }
}

/** Attack: a repository whose submodule is `ext::sh -c …`, or a directory of the host. */
const REMOTE_PROTOCOLS = 'http:https:ssh:git'
/** Where programs are, whatever the daemon was started with. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Bytes of output, and of messages. */
const MOST = 64 * 1024 * 1024
const MOST_MESSAGES = 64 * 1024

/** Settings for all runs: nothing of the repository's or the host's starts programs, nothing goes on in the background. */
const CONFIG: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['credential.helper', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['init.defaultBranch', 'master'],
  ['advice.detachedHead', 'false'],
]

/**
 * The host's git, apart from everything that the host has set up for it: no settings of system or user, no variables, no questions. `proxies`: as variables,
 * `https_proxy` …
 */
export function createGitProgram(deps: { program?: string; proxies?: Readonly<Record<string, string>> } = {}): GitProgram {
  const { program = 'git', proxies = {} } = deps
  return async (args, options) => {
    const { gitDirectory, workTree, config = [], environment = {}, signal, log } = options
    signal.throwIfAborted()
    const places = [
      ...(gitDirectory === undefined ? [] : [`--git-dir=${gitDirectory}`]),
      ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
    ]
    const child = spawn(program, [...places, ...args], {
      cwd: workTree ?? '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: what git starts (git-remote-https, ssh) has to end with it.
      detached: true,
      env: {
        PATH,
        LC_ALL: 'C',
        HOME: '/nonexistent',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_TERMINAL_PROMPT: '0',
        GIT_ALLOW_PROTOCOL: options.protocols ?? REMOTE_PROTOCOLS,
        ...proxies,
        ...environment,
        ...configVariables([...CONFIG, ...config]),
      },
    })
    const kill = (): void => killGroup(child.pid)
    signal.addEventListener('abort', kill, { once: true })
    try {
      const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
      const output = collect(child.stdout, MOST, kill)
      const messages = collect(child.stderr, MOST_MESSAGES, undefined, log)
      const [code, killedBy] = await closed
      signal.throwIfAborted()
      if (code !== 0) throw new GitFailure(messages().trim(), killedBy === null ? `exit status ${code}` : `signal: ${killedBy}`)
      return output()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing(error)
      throw error
    } finally {
      signal.removeEventListener('abort', kill)
    }
  }
}

/** Source: git-config(1), GIT_CONFIG_COUNT; git 2.31 and later. */
function configVariables(config: readonly (readonly [string, string])[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(config.length) }
  for (const [index, [name, value]] of config.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = name
    variables[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return variables
}

/** Gives what came so far, at most `limit` bytes of it; `full` is called when there was more. */
function collect(stream: NodeJS.ReadableStream, limit: number, full?: () => void, each?: (chunk: Buffer) => void): () => string {
  const chunks: Buffer[] = []
  let length = 0
  stream.on('data', (chunk: Buffer) => {
    each?.(chunk)
    if (length < limit) chunks.push(chunk.subarray(0, limit - length))
    length += chunk.length
    if (length > limit) full?.()
  })
  return () => Buffer.concat(chunks).toString()
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

function missing(cause: unknown): EngineError {
  return new EngineError('UNAVAILABLE', 'failed to find git binary: install git on the host to build from Git repositories', { cause })
}
