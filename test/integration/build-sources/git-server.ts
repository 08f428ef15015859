import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Bare repositories behind `git http-backend`, on loopback. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:1234`. */
  readonly address: string
  /** The value of Authorization that is asked for; empty: none. */
  authorization: string
  /** Answers nothing any more. */
  isSilent: boolean
  /** `GET /app.git/info/refs`, without query. */
  readonly requests: string[]
  /** A repository `<name>.git` with a working tree; both are made at the first call. */
  repository(name: string): GitRepository
}

export interface GitRepository {
  readonly url: string
  /** Runs git in the working tree. Gives its output. */
  git(...args: string[]): string
  /** Writes files, commits all and pushes branches and tags. Gives the commit. */
  commit(files: Record<string, string>): string
}

export function hasGit(): boolean {
  try {
    execFileSync('git', ['--version'])
    return true
  } catch {
    return false
  }
}

export async function startGitServer(): Promise<GitServer> {
  const root = mkdtempSync(join(tmpdir(), 'git-server-'))
  const repositories = new Map<string, GitRepository>()
  const requests: string[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    requests.push(`${request.method} ${url.pathname}`)
    if (state.isSilent) return
    if (state.authorization !== '' && request.headers.authorization?.toLowerCase() !== state.authorization.toLowerCase()) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    } else serve(join(root, 'bare'), url, request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const state: GitServer = {
    address,
    authorization: '',
    isSilent: false,
    requests,
    repository(name) {
      const known = repositories.get(name) ?? makeRepository(root, name, `${address}/${name}.git`)
      repositories.set(name, known)
      return known
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      rmSync(root, { recursive: true })
    },
  }
  return state
}

/** A repository below `root/bare`, with its working tree beside it. */
export function makeRepository(root: string, name: string, url: string): GitRepository {
  const bare = join(root, 'bare', `${name}.git`)
  const work = join(root, 'work', name)
  mkdirSync(work, { recursive: true })
  const person = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' }
  const env = { ...process.env, ...person, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const run = (cwd: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'protocol.file.allow=always', ...args], { cwd, env, stdio: 'pipe' })
      .toString()
      .trim()
  run('/', 'init', '-q', '--bare', '-b', 'main', bare)
  run(work, 'init', '-q', '-b', 'main')
  run(work, 'remote', 'add', 'origin', bare)
  const git = (...args: string[]): string => run(work, ...args)
  return {
    url,
    git,
    commit(files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true })
        writeFileSync(join(work, path), text)
      }
      git('add', '-A')
      git('commit', '-q', '--allow-empty', '-m', 'change')
      git('push', '-q', '--force', '--all')
      git('push', '-q', '--force', '--tags')
      return git('rev-parse', 'HEAD')
    },
  }
}

/** Source: RFC 3875; git-http-backend(1). */
function serve(root: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: (request.headers['git-protocol'] as string | undefined) ?? '',
    },
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => {})
  let head = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    child.stdout.off('data', onData)
    let status = 200
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s)
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.writeHead(status)
    response.write(head.subarray(end + 4))
    child.stdout.pipe(response)
  }
  child.stdout.on('data', onData)
  child.stdout.on('end', () => response.end())
}
