/** Builds whose files come from registries, repositories and addresses, by the classic builder of the official CLI. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DockerRegistry, dockerRegistryMissing, Engine, eventually } from '../../harness/index.ts'
import { hasGit, makeRepository } from './git-server.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const CLASSIC = { DOCKER_BUILDKIT: '0' }

describe('builds', { skip }, () => {
  let engine: Engine
  let directory: string
  const programs: ChildProcess[] = []

  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
    directory = mkdtempSync(join(tmpdir(), 'build-sources-'))
  })
  after(async () => {
    for (const program of programs) {
      program.kill()
      await once(program, 'exit')
    }
    engine.docker(['system', 'prune', '-af'])
    await engine[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  /** A server on the test host; waits until it listens. */
  async function serve(port: number, ...command: string[]): Promise<void> {
    const [program = '', ...args] = engine.host.wrap(command)
    programs.push(spawn(program, args, { stdio: 'ignore' }))
    await eventually(() => engine.host.must(['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`]))
  }

  /** Builds and gives the image's file `/result`. */
  function build(context: string, options: { input?: string; args?: string[] } = {}): string {
    const { input, args = [] } = options
    const built = engine.docker(['build', '-q', '-t', 'built', ...args, context], { env: CLASSIC, ...(input !== undefined && { input }) })
    assert.equal(built.status, 0, built.stdout + built.stderr)
    return engine.mustDocker('run', '--rm', 'built', 'cat', '/result')
  }

  /** The same of a context that the daemon is to fetch; the CLI would fetch it itself. */
  async function buildRemote(remote: string): Promise<string> {
    const { text } = await engine.request('POST', `/build?q=1&t=built&remote=${encodeURIComponent(remote)}`)
    assert.doesNotMatch(text, /"error"/)
    return engine.mustDocker('run', '--rm', 'built', 'cat', '/result')
  }

  function failure(dockerfile: string): string {
    const { status, stderr } = engine.docker(['build', '-'], { input: dockerfile, env: CLASSIC })
    assert.notEqual(status, 0)
    return stderr
  }

  it('take a context from standard input and leave out what it says', () => {
    const context = join(directory, 'context')
    mkdirSync(join(context, 'deep'), { recursive: true })
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM starter\nCOPY . /all\nRUN cd /all && find . -type f -user 0 | sort | xargs echo > /result\n',
    )
    writeFileSync(join(context, '.dockerignore'), '*.log\n!keep.log\nDockerfile\n')
    for (const name of ['a.log', 'keep.log', 'deep/file']) writeFileSync(join(context, name), name)
    assert.equal(build(context), './.dockerignore ./deep/file ./keep.log')
  })

  it('take base images from registries, with the login of the client', { skip: dockerRegistryMissing() }, async () => {
    await using _registry = await DockerRegistry.start({ host: engine.host, port: 5000, users: { me: 'secret' } })
    const base = '127.0.0.1:5000/base:1'
    engine.mustDocker('login', '-u', 'me', '-p', 'secret', '127.0.0.1:5000')
    engine.mustDocker('tag', 'starter', base)
    engine.mustDocker('push', '-q', base)
    engine.mustDocker('rmi', base)
    const dockerfile = `FROM ${base}\nRUN echo from registry > /result\n`
    assert.equal(build('-', { input: dockerfile }), 'from registry')
    // As the classic builder left it.
    assert.equal(engine.mustDocker('images', '-q', base).length, 12)
    assert.equal(build('-', { input: dockerfile, args: ['--pull'] }), 'from registry')
    assert.match(failure('FROM 127.0.0.1:5000/nope\n'), /127\.0\.0\.1:5000\/nope:latest: not found/)
  })

  it('take contexts and files from Git repositories', { skip: hasGit() ? false : 'git is not installed' }, async () => {
    const app = makeRepository(directory, 'app', 'git://127.0.0.1/app.git')
    app.commit({ 'sub/Dockerfile': 'FROM starter\nCOPY text /result\n', 'sub/text': 'first' })
    app.git('tag', 'v1')
    const commit = app.commit({ 'sub/text': 'second' })
    await serve(9418, 'git', 'daemon', '--export-all', '--listen=127.0.0.1', `--base-path=${join(directory, 'bare')}`)
    assert.equal(await buildRemote(`${app.url}#:sub`), 'second')
    assert.equal(await buildRemote(`${app.url}#v1:sub`), 'first')
    assert.equal(build('-', { input: `FROM starter\nADD ${app.url}#v1:sub /app\nRUN cp /app/text /result\n` }), 'first')
    const kept = `FROM starter\nADD --keep-git-dir=true ${app.url} /app\nRUN cp /app/.git/HEAD /result\n`
    assert.equal(build('-', { input: kept }), commit)
    assert.match(failure(`FROM starter\nADD ${app.url}#nope /app\n`), /repository does not contain ref nope/)
  })

  it('take files and contexts by URL', async () => {
    const site = join(directory, 'site')
    mkdirSync(site)
    writeFileSync(join(site, 'file'), 'by url')
    writeFileSync(join(site, 'Dockerfile'), 'FROM starter\nADD http://127.0.0.1:8080/file /result\nRUN stat -c %a /result >> /result\n')
    engine.host.must(['tar', '-C', site, '-czf', join(site, 'context.tar.gz'), 'Dockerfile'])
    await serve(8080, 'busybox', 'httpd', '-f', '-p', '127.0.0.1:8080', '-h', site)
    for (const name of ['Dockerfile', 'context.tar.gz']) assert.equal(await buildRemote(`http://127.0.0.1:8080/${name}`), 'by url600')
    writeFileSync(join(site, 'file'), 'changed')
    assert.equal(await buildRemote('http://127.0.0.1:8080/Dockerfile'), 'changed600')
    assert.match(failure('FROM starter\nADD http://127.0.0.1:8080/nope /\n'), /invalid response status 404/)
    const checksum = `sha256:${'0'.repeat(64)}`
    assert.match(failure(`FROM starter\nADD --checksum=${checksum} http://127.0.0.1:8080/file /\n`), /digest mismatch for http:/)
  })
})
