/** Registries on a test host: Debian's docker-registry, and our own behind TLS with a token server. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hashSync } from 'bcryptjs'
import { ROOT, type TestHost } from '../harness/index.ts'

/** Enough for a test; every login pays for it. */
const BCRYPT_ROUNDS = 4
const USER = 'tester'
export const PASSWORD = 'correct horse'

export interface TestRegistry extends AsyncDisposable {
  /** As in references. */
  readonly domain: string
  readonly user: string
}

/** Why there is no docker-registry; undefined when there is. */
export function peerMissing(): string | undefined {
  return spawnSync('docker-registry', ['--version']).status === 0 ? undefined : 'docker-registry is not installed'
}

/** `locked`: only {@link PASSWORD} opens it. */
export async function startPeer(host: TestHost, options: { port: number; locked?: boolean }): Promise<TestRegistry> {
  const domain = `127.0.0.1:${options.port}`
  return start(host, domain, `http://${domain}/v2/`, (directory) => {
    const config = {
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
      http: { addr: domain },
      ...(options.locked === true ? { auth: { htpasswd: { realm: 'test', path: writePasswords(directory) } } } : {}),
    }
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config)) // JSON is YAML
    return ['docker-registry', 'serve', join(directory, 'config.json')]
  })
}

/**
 * `gantry registry serve` on an address that is not loopback, so that its certificate counts. Everybody may pull from `public/*`, {@link PASSWORD} may do everything.
 * The certificates of the registry are written below `certificates`, as `certs.d` has them.
 */
export async function startOurs(host: TestHost, certificates: string): Promise<TestRegistry> {
  const address = '10.99.0.1'
  host.must(['ip', 'address', 'add', `${address}/32`, 'dev', 'lo'])
  const domain = `${address}:5443`
  return start(host, domain, `https://${domain}/v2/`, (directory) => {
    const certificate = { key: join(directory, 'key.pem'), cert: join(directory, 'cert.pem') }
    makeCertificate(address, certificate)
    mkdirSync(join(certificates, domain), { recursive: true })
    spawnSync('cp', [certificate.cert, join(certificates, domain, 'ca.crt')])
    const config = {
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      http: { addr: domain, tls: { certificate: certificate.cert, key: certificate.key } },
      auth: { htpasswd: { realm: 'test', path: writePasswords(directory) }, tokenserver: {} },
      access: {
        rules: [
          { user: USER, repository: '**', actions: ['*'] },
          { anonymous: true, repository: 'public/*', actions: ['pull'] },
        ],
      },
    }
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
    return [join(ROOT, 'bin/gantry'), 'registry', 'serve', '--config', join(directory, 'config.json')]
  })
}

async function start(host: TestHost, domain: string, url: string, prepare: (directory: string) => string[]): Promise<TestRegistry> {
  await using undo = new AsyncDisposableStack()
  const directory = undo.adopt(mkdtempSync(join(tmpdir(), 'test-registry-')), (path) => rmSync(path, { recursive: true, force: true }))
  const [program = '', ...args] = host.wrap(prepare(directory))
  const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  undo.defer(async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
  })
  // Without a login it answers 401: that will do.
  for (let attempt = 0; host.run(['curl', '-ks', url]).status !== 0; attempt++) {
    if (attempt === 200 || server.exitCode !== null) throw new Error(`The registry did not start: ${log}`)
    await sleep(25)
  }
  const held = undo.move()
  return { domain, user: USER, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

function writePasswords(directory: string): string {
  const path = join(directory, 'htpasswd')
  writeFileSync(path, `${USER}:${hashSync(PASSWORD, BCRYPT_ROUNDS)}\n`)
  return path
}

function makeCertificate(address: string, { key, cert }: { key: string; cert: string }): void {
  const subject = ['-subj', `/CN=${address}`, '-addext', `subjectAltName=IP:${address}`]
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ])
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr.toString()}`)
}
