/** Registries on a test host: Debian's docker-registry, and our own behind TLS with a token server. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DockerRegistry, writePasswords, type TestHost } from '../harness/index.ts'
import { makeCertificates, RegistryProgram } from '../harness/registry-program.ts'

/** Who may do everything where a login is asked for. */
export const USER = 'tester'
export const PASSWORD = 'correct horse'

/** Not loopback: certificates count here. */
const ADDRESS = '10.99.0.1'

export interface TestRegistry extends AsyncDisposable {
  /** As in references. */
  readonly domain: string
}

/** Debian's. Nobody gets in without the login. */
export function startLockedPeer(host: TestHost, port: number): Promise<DockerRegistry> {
  return DockerRegistry.start({ host, port, users: { [USER]: PASSWORD } })
}

/**
 * `gantry registry serve` with TLS. Everybody may pull from `public/*`, {@link USER} may do everything. The certificate of its authority is
 * written below `certificates`, as `certs.d` has them.
 */
export async function startOurs(host: TestHost, certificates: string): Promise<TestRegistry> {
  host.must(['ip', 'address', 'add', `${ADDRESS}/32`, 'dev', 'lo'])
  const domain = `${ADDRESS}:5443`
  const prepare = (directory: string): object => {
    const { certificate, key } = makeCertificates(directory, `IP:${ADDRESS}`)
    mkdirSync(join(certificates, domain), { recursive: true })
    copyFileSync(join(directory, 'certs/ca.crt'), join(certificates, domain, 'ca.crt'))
    return {
      http: { addr: domain, tls: { certificate, key } },
      auth: { htpasswd: { realm: 'test', path: writePasswords(directory, { [USER]: PASSWORD }) }, tokenserver: {} },
      access: {
        rules: [
          { user: USER, repository: '**', actions: ['*'] },
          { anonymous: true, repository: 'public/*', actions: ['pull'] },
        ],
      },
    }
  }
  const registry = await RegistryProgram.start(prepare, host)
  return { domain, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}
