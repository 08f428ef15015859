/** The ways to an engine: tcp, TLS with certificates on both sides, ssh, and contexts that name them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { makeTlsFiles } from '../harness/tls-files.ts'
import { startFakeEngine, type FakeEngine } from './fake-engine.ts'
import { gantry, GANTRY, gantryMissing, type Outcome } from './program.ts'

const FORMAT = ['version', '--format', '{{.Server.Version}}']
const openssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not installed (it makes the certificates)'

describe('transports', { skip: gantryMissing() ?? false }, () => {
  let engine: FakeEngine
  let directory: string
  const servers: Server[] = []
  before(async () => {
    engine = await startFakeEngine()
    directory = mkdtempSync(join(tmpdir(), 'transports-'))
  })
  after(async () => {
    for (const server of servers) await new Promise((resolve) => server.close(resolve))
    rmSync(directory, { recursive: true })
    await engine[Symbol.asyncDispose]()
  })

  /** Port of a server that passes everything on to the fake engine. */
  async function listen(server: Server, event: 'connection' | 'secureConnection' = 'connection'): Promise<number> {
    servers.push(server)
    server.on(event, (socket: Socket) => {
      const upstream = connect(engine.host.slice('unix://'.length))
      socket.on('error', () => upstream.destroy()).pipe(upstream)
      upstream.on('error', () => socket.destroy()).pipe(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  const run = (args: string[], env: Record<string, string>): Promise<Outcome> =>
    gantry(args, { env: { DOCKER_CONFIG: join(directory, 'config'), DOCKER_HOST: '', ...env } })

  it('tcp', async () => {
    const port = await listen(createServer())
    assert.deepEqual(await run(FORMAT, { DOCKER_HOST: `tcp://127.0.0.1:${port}` }), { stdout: '28.2.2\n', stderr: '', status: 0 })
  })

  it('ssh, through dial-stdio on the other side', async () => {
    const bin = join(directory, 'bin')
    mkdirSync(bin)
    // In place of ssh: runs the remote command here, after saying how it was called.
    writeFileSync(
      join(bin, 'ssh'),
      `#!/bin/sh\necho "$@" > ${directory}/ssh-args\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nexec "$@"\n`,
    )
    writeFileSync(join(bin, 'docker'), `#!/bin/sh\nDOCKER_HOST=${engine.host} exec ${GANTRY} "$@"\n`)
    for (const name of ['ssh', 'docker']) chmodSync(join(bin, name), 0o755)
    const outcome = await run(FORMAT, { DOCKER_HOST: 'ssh://me@example.test:2222', PATH: `${bin}:${process.env['PATH']}` })
    assert.deepEqual(outcome, { stdout: '28.2.2\n', stderr: '', status: 0 })
    assert.match(readFileSync(join(directory, 'ssh-args'), 'utf8'), /-l me -p 2222 -- example\.test docker system dial-stdio$/m)
  })

  it('a context names the engine', async () => {
    assert.equal((await run(['context', 'create', 'fake', '--docker', `host=${engine.host}`], {})).status, 0)
    assert.equal((await run(['--context', 'fake', ...FORMAT], {})).stdout, '28.2.2\n')
    assert.equal((await run(['context', 'use', 'fake'], {})).status, 0)
    assert.equal((await run(FORMAT, {})).stdout, '28.2.2\n')
    const file = join(directory, 'fake.tar')
    assert.equal((await run(['context', 'export', 'fake', file], {})).status, 0)
    assert.equal((await run(['context', 'import', 'again', file], {})).status, 0)
    assert.equal((await run(['context', 'inspect', 'again', '-f', '{{.Endpoints.docker.Host}}'], {})).stdout, `${engine.host}\n`)
    assert.equal((await run(['context', 'rm', '-f', 'fake', 'again'], {})).stdout, 'fake\nagain\n')
  })

  describe('TLS', { skip: openssl ?? false }, () => {
    let port: number
    let certificates: string
    before(async () => {
      certificates = join(directory, 'certificates')
      mkdirSync(certificates)
      makeTlsFiles(certificates)
      for (const kind of ['', '-key'])
        writeFileSync(join(certificates, kind === '' ? 'cert.pem' : 'key.pem'), readFileSync(join(certificates, `client${kind}.pem`)))
      const read = (name: string): Buffer => readFileSync(join(certificates, name))
      port = await listen(
        createTlsServer({
          key: read('server-key.pem'),
          cert: read('server.pem'),
          ca: read('ca.pem'),
          requestCert: true,
          rejectUnauthorized: true,
        }),
        'secureConnection',
      )
    })

    it('verifies both sides with --tlsverify', async () => {
      const outcome = await run(FORMAT, { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates })
      assert.deepEqual(outcome, { stdout: '28.2.2\n', stderr: '', status: 0 })
    })

    it('refuses a server it does not know, and is refused without a certificate', async () => {
      const unknown = await run(['--tlsverify', '--tlscacert', join(certificates, 'client.pem'), ...FORMAT], {
        DOCKER_HOST: `tcp://127.0.0.1:${port}`,
        DOCKER_CERT_PATH: certificates,
      })
      assert.equal(unknown.status, 1)
      const anonymous = await run(['--tls', ...FORMAT], {
        DOCKER_HOST: `tcp://127.0.0.1:${port}`,
        DOCKER_CERT_PATH: join(directory, 'none'),
      })
      assert.equal(anonymous.status, 1)
    })
  })
})
