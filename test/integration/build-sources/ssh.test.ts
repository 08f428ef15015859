/** Git by ssh, from OpenSSH's server: in builds of both clients, and from inside of a step. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { openAccess } from '../../../src/build/sources/git/git-access.ts'
import { fakeSession } from '../../../src/build/sources/testing/fake-step.ts'
import { Engine, ROOT, TestHost } from '../../harness/index.ts'
import { sshMissing, startSshServer, type SshServer } from './ssh-server.ts'

const skip = process.getuid?.() === 0 ? sshMissing() : 'needs root'
const buildx = skip === false ? fetchBuildx() : undefined

describe('builds by ssh', { skip }, () => {
  let host: TestHost
  let engine: Engine
  let server: SshServer

  before(async () => {
    host = await TestHost.create()
    server = await startSshServer(host)
    engine = await Engine.start({ host })
    engine.loadStarter()
  })
  after(async () => {
    engine.docker(['system', 'prune', '-af'])
    await server[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  })

  /** A directory with a Dockerfile. */
  function project(dockerfile: string): string {
    const path = mkdtempSync(join(server.directory, 'project-'))
    writeFileSync(join(path, 'Dockerfile'), dockerfile)
    return path
  }

  /** Gives the image's file `/result`. */
  function build(context: string, ...args: string[]): string {
    const built = engine.gantry(['build', '-q', '-t', 'built', ...args, context])
    assert.equal(built.status, 0, built.stderr)
    return engine.mustDocker('run', '--rm', 'built', 'cat', '/result')
  }

  function failure(context: string, ...args: string[]): string {
    const { status, stderr } = engine.gantry(['build', ...args, context], { env: { SSH_AUTH_SOCK: '' } })
    assert.notEqual(status, 0)
    return stderr
  }

  it('take files and contexts from repositories, with a key or by an agent', async () => {
    const app = server.repository('app')
    app.commit({ 'sub/Dockerfile': 'FROM starter\nCOPY text /result\n', 'sub/text': 'first' })
    app.git('tag', 'v1')
    app.commit({ 'sub/text': 'second' })
    const key = `--ssh=default=${server.key}`
    assert.equal(build(project(`FROM starter\nADD ${app.url}#main:sub /app\nRUN cp /app/text /result\n`), key), 'second')
    const byUrl = `ssh://git@127.0.0.1${server.directory}/bare/app.git`
    assert.equal(build(project(`FROM starter\nADD ${byUrl}#v1 /app\nRUN cp /app/sub/text /result\n`), key), 'first')
    const agent = `--ssh=default=${server.startAgent(server.makeKey('wrong'), server.key)}`
    assert.equal(build(`${app.url}#main:sub`, agent), 'second')
    assert.equal(build(`${app.url}#v1:sub`, agent), 'first')
  })

  it('take repositories for buildx, too', { skip: buildx === undefined && 'buildx cannot be fetched' }, () => {
    const app = server.repository('deep')
    app.commit({ Dockerfile: 'FROM starter\nADD git@127.0.0.1:deep.git#main:deep /app\nRUN cp /app/text /result\n', 'deep/text': 'deep' })
    for (const [context, ssh] of [
      [`${app.url}#main`, server.startAgent(server.key)],
      [project('FROM starter\nADD ssh://git@127.0.0.1/~/deep.git#main:deep /app\nRUN cp /app/text /result\n'), server.key],
    ] as const) {
      const built = engine.host.run([buildx ?? '', 'build', '--load', '-t', 'built', `--ssh=default=${ssh}`, context], {
        env: { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: join(engine.directory, 'docker-config') },
      })
      assert.equal(built.status, 0, built.stderr)
      assert.equal(engine.mustDocker('run', '--rm', 'built', 'cat', '/result'), 'deep')
    }
  })

  it('take submodules along by ssh', () => {
    const [inner, outer] = [server.repository('inner'), server.repository('outer')]
    inner.commit({ text: 'inner' })
    outer.commit({ Dockerfile: 'FROM starter\nCOPY near/text far/text /\nRUN cat /text > /result\n' })
    for (const [path, url] of [
      ['near', '../inner.git'],
      ['far', inner.url],
    ] as const) {
      outer.git('submodule', '--quiet', 'add', join(server.directory, 'bare/inner.git'), path)
      outer.git('config', '-f', '.gitmodules', `submodule.${path}.url`, url)
    }
    outer.commit({})
    assert.equal(build(`${outer.url}#main`, `--ssh=default=${server.key}`), 'inner')
  })

  it('say that nobody gave an agent, and that the server takes no such key', () => {
    server.repository('refused').commit({ file: 'x' })
    const context = project('FROM scratch\nADD git@127.0.0.1:refused.git#main /\n')
    assert.match(failure(context), /no SSH key "default" forwarded from the client/)
    const refused = failure(context, `--ssh=default=${server.makeKey('stranger')}`)
    assert.match(refused, /failed to fetch remote git@127\.0\.0\.1:refused\.git: .*git@127\.0\.0\.1: Permission denied \(publickey\)/s)
  })

  it('get nothing by the keys of the host', async () => {
    assert.equal(host.run(['ssh', '-o', 'StrictHostKeyChecking=no', 'git@127.0.0.1', 'echo in']).stdout, 'in\n')
    const [own, web] = [server.repository('own'), server.repository('web')]
    own.commit({ file: 'x' })
    web.git('submodule', '--quiet', 'add', join(server.directory, 'bare/own.git'), 'own')
    web.git('config', '-f', '.gitmodules', 'submodule.own.url', own.url)
    web.commit({})
    assert.match(failure(project('FROM scratch\nADD git://127.0.0.1/web.git#main /\n')), /Permission denied \(publickey\)/)
  })

  it('trust no other host than the ones that a definition names', async () => {
    const { url } = server.repository('known')
    const socket = server.startAgent(server.key)
    const session = fakeSession({ checkAgent: async () => {}, forwardAgent: async () => connect(socket) })
    const list = async (knownHosts: string): Promise<unknown> => {
      const source = { kind: 'git', remote: url, ref: '', subdirectory: '', keepGitDirectory: false, skipSubmodules: false } as const
      const all = { ...source, authTokenSecret: '', authHeaderSecret: '', ssh: 'default', knownHosts }
      await using access = await openAccess(all, session, server.directory)
      const [program = '', ...args] = host.wrap(['git', 'ls-remote', url])
      return await promisify(execFile)(program, args, { env: { ...process.env, ...access.options.environment } })
    }
    await list(server.knownHost)
    await assert.rejects(list(server.knownHost.replace('127.0.0.1', 'elsewhere')), /Host key verification failed/)
  })

  it('are reached from inside of a step, by the forwarded agent and nothing else', () => {
    server.repository('inside').commit({ file: 'cloned' })
    const context = project(`FROM starter
COPY programs /
ENV GIT_SSH_COMMAND="ssh -o StrictHostKeyChecking=no"
RUN --mount=type=ssh --network=host git clone -q git@127.0.0.1:inside.git /app && cp /app/file /result
RUN --network=host ! git clone -q git@127.0.0.1:inside.git /again
`)
    for (const program of ['/usr/bin/git', '/usr/bin/ssh']) copyProgram(program, join(context, 'programs'))
    assert.equal(build(context, '--allow=network.host', `--ssh=default=${server.key}`), 'cloned')
  })
})

/** With the libraries that it needs. */
function copyProgram(path: string, root: string): void {
  const libraries = execFileSync('ldd', [path], { encoding: 'utf8' }).matchAll(/(\/[^\s()]+) \(0x/g)
  for (const file of [path, ...[...libraries].map(([, library = '']) => library)]) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    copyFileSync(file, join(root, file))
  }
}

function fetchBuildx(): string | undefined {
  const { status, stdout } = spawnSync(join(ROOT, 'tools/buildx.sh'), ['sid'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
