import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { hashSync } from 'bcryptjs'
import { OciLayout } from '../../harness/oci-layout.ts'
import { makeCertificates, RegistryProgram } from '../../harness/registry-program.ts'
import { mustSkopeo, skopeo } from '../../harness/skopeo.ts'
import { unshared } from '../unshared.ts'
import { eventually } from '../../harness/eventually.ts'

const ADDRESS = 'localhost:5000'
const PASSWORDS = { alice: 'wonder land', bob: 'p:w', carol: 'ü€' }

/** Files that a configuration names, in the registry's directory. */
function prepare(directory: string): { tls: object; htpasswd: object } {
  const users = Object.entries(PASSWORDS).map(([name, password]) => `${name}:${hashSync(password, 5)}\n`)
  writeFileSync(join(directory, 'users'), users.join(''))
  return { tls: makeCertificates(directory), htpasswd: { realm: 'test', path: join(directory, 'users') } }
}

const ACCESS = {
  groups: { team: ['alice'] },
  rules: [
    { group: 'team', repository: 'team/**', actions: ['pull', 'push', 'delete'] },
    { user: 'bob', repository: 'team/*', actions: ['pull'] },
    { user: 'carol', repository: '**', actions: ['*'] },
    { anonymous: true, repository: 'public/**', actions: ['pull'] },
  ],
}

/** An OCI layout with one image in the directory of the registry, as `oci:…:image`. */
function image(directory: string, content = 'content'): string {
  const layout = new OciLayout(join(directory, 'layout'))
  const tar = Buffer.from(content.padEnd(2048, '\0'))
  layout.name('image', layout.addImage([{ tar, bytes: gzipSync(tar), type: 'tar+gzip' }]))
  return `oci:${layout.directory}:image`
}

function login(registry: RegistryProgram, user: keyof typeof PASSWORDS, password: string = PASSWORDS[user]): ReturnType<typeof skopeo> {
  const home = registry.directory
  return skopeo(home, 'login', '--cert-dir', join(home, 'certs'), '-u', user, '-p', password, ADDRESS)
}

const push = (registry: RegistryProgram, name: string): ReturnType<typeof skopeo> =>
  skopeo(
    registry.directory,
    'copy',
    '--dest-cert-dir',
    join(registry.directory, 'certs'),
    image(registry.directory),
    `docker://${ADDRESS}/${name}`,
  )

const inspect = (registry: RegistryProgram, name: string): ReturnType<typeof skopeo> =>
  skopeo(registry.directory, 'inspect', '--cert-dir', join(registry.directory, 'certs'), `docker://${ADDRESS}/${name}`)

function logout(registry: RegistryProgram): void {
  writeFileSync(join(registry.directory, 'auth.json'), '{}')
}

function done({ status, stderr }: ReturnType<typeof skopeo>): void {
  assert.equal(status, 0, stderr)
}

/** What both kinds of authentication do. */
function rights(registry: RegistryProgram): void {
  assert.notEqual(login(registry, 'alice', 'wrong').status, 0)
  done(login(registry, 'alice'))
  done(push(registry, 'team/deep/app:1'))
  assert.match(push(registry, 'other/app:1').stderr, /denied|unauthorized|authentication required|Forbidden/)
  done(login(registry, 'bob'))
  assert.notEqual(inspect(registry, 'team/deep/app:1').status, 0)
  done(login(registry, 'alice'))
  done(push(registry, 'team/app:1'))
  done(login(registry, 'bob'))
  done(inspect(registry, 'team/app:1'))
  assert.notEqual(push(registry, 'team/app:2').status, 0)
  done(login(registry, 'carol'))
  done(push(registry, 'public/app:1'))
}

unshared(import.meta.filename, () => {
  describe('gantry registry behind TLS', () => {
    before(() => void execFileSync('ip', ['link', 'set', 'lo', 'up']))

    it('htpasswd: users do what the access list gives them', async () => {
      await using registry = await RegistryProgram.start((directory) => {
        const { tls, htpasswd } = prepare(directory)
        return { http: { addr: ':5000', tls }, auth: { htpasswd }, access: ACCESS }
      })
      rights(registry)
    })

    it('tokens: users do what the access list gives them, and anybody what it gives to anybody', async () => {
      await using registry = await RegistryProgram.start((directory) => {
        const { tls, htpasswd } = prepare(directory)
        return { http: { addr: ':5000', tls }, auth: { htpasswd, tokenserver: { service: 'registry.test' } }, access: ACCESS }
      })
      rights(registry)
      logout(registry)
      done(inspect(registry, 'public/app:1'))
      assert.match(inspect(registry, 'team/app:1').stderr, /unauthorized|denied|authentication required/)
      assert.notEqual(push(registry, 'public/app:2').status, 0)
      // A copy between two repositories, whose mount needs rights to both in one token.
      done(login(registry, 'carol'))
      const directory = join(registry.directory, 'certs')
      const certificates = ['--src-cert-dir', directory, '--dest-cert-dir', directory]
      mustSkopeo(registry.directory, 'copy', ...certificates, `docker://${ADDRESS}/team/app:1`, `docker://${ADDRESS}/copy/app:1`)
      const [first, second] = ['team/app:1', 'copy/app:1'].map((name) => JSON.parse(inspect(registry, name).stdout) as { Digest: string })
      assert.equal(first?.Digest, second?.Digest)
    })

    it('the key of the token server stays over a restart', async () => {
      await using registry = await RegistryProgram.start((directory) => {
        const { tls, htpasswd } = prepare(directory)
        return { http: { addr: ':5000', tls }, auth: { htpasswd, tokenserver: {} } }
      })
      const key = readFileSync(join(registry.directory, 'root/token-key.pem'))
      assert.equal(await registry.stop(), 0)
      await registry.start()
      assert.deepEqual(readFileSync(join(registry.directory, 'root/token-key.pem')), key)
      done(login(registry, 'bob'))
    })

    it('users and certificates are taken over while it runs', async () => {
      await using registry = await RegistryProgram.start((directory) => {
        const { tls, htpasswd } = prepare(directory)
        return { http: { addr: ':5000', tls }, auth: { htpasswd } }
      })
      done(login(registry, 'alice'))
      writeFileSync(join(registry.directory, 'users'), `alice:${hashSync('new one', 5)}\n`)
      assert.notEqual(login(registry, 'alice').status, 0)
      done(login(registry, 'alice', 'new one'))

      const before = await serialNumber()
      makeCertificates(registry.directory)
      registry.signal('SIGHUP')
      await eventually(async () => assert.notEqual(await serialNumber(), before, 'the certificate stays the old one'))
      done(login(registry, 'alice', 'new one'))
    })

    it('clients without a certificate of the right authority are turned away', async () => {
      await using registry = await RegistryProgram.start((directory) => {
        const { tls } = prepare(directory)
        return { http: { addr: ':5000', tls: { ...tls, clientcas: [join(directory, 'certs/ca.crt')] } } }
      })
      assert.match(push(registry, 'a:1').stderr, /certificate required|bad certificate|EOF|reset/)
      // skopeo takes `*.cert` with its `*.key` from the directory.
      for (const [from, to] of [
        ['tls.crt', 'client.cert'],
        ['tls.key', 'client.key'],
      ] as const) {
        writeFileSync(join(registry.directory, 'certs', to), readFileSync(join(registry.directory, from)))
      }
      done(push(registry, 'a:1'))
    })

    it('in read-only mode everything can be pulled and nothing changed', async () => {
      await using registry = await RegistryProgram.start((directory) => ({ http: { addr: ':5000', tls: prepare(directory).tls } }))
      done(push(registry, 'a:1'))
      await registry.stop()
      const file = join(registry.directory, 'config.yml')
      const config = JSON.parse(readFileSync(file, 'utf8')) as { storage: Record<string, unknown> }
      config.storage['maintenance'] = { readonly: { enabled: true } }
      writeFileSync(file, JSON.stringify(config))
      await registry.start()
      done(inspect(registry, 'a:1'))
      assert.match(push(registry, 'a:2').stderr, /read-only/)
      const removal = skopeo(registry.directory, 'delete', '--cert-dir', join(registry.directory, 'certs'), `docker://${ADDRESS}/a:1`)
      assert.notEqual(removal.status, 0)
    })
  })
})

async function serialNumber(): Promise<string> {
  const socket = connect({ port: 5000, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { serialNumber: serial } = socket.getPeerCertificate()
  socket.destroy()
  return serial
}
