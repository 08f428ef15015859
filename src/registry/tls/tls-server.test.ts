import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { httpSection } from '../config/http-section.ts'
import { createTlsServer, type TlsServer } from './tls-server.ts'

/** Names of certificates that sign themselves; each is its own CA. */
type Name = 'server' | 'friend' | 'stranger'

describe('createTlsServer', () => {
  let directory: string
  const path = (name: Name, kind: 'crt' | 'key'): string => join(directory, `${name}.${kind}`)
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-tls-'))
    for (const name of ['server', 'friend', 'stranger'] as const) {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path(name, 'key')]
      const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-out', path(name, 'crt')]
      execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'ignore' })
    }
  })
  after(() => rmSync(directory, { recursive: true }))

  async function listening(tls: Record<string, unknown>): Promise<TlsServer & AsyncDisposable> {
    const given = { certificate: path('server', 'crt'), key: path('server', 'key'), ...tls }
    const config = httpSection.decode({ tls: given }, 'http', []).tls ?? assert.fail()
    const made = await createTlsServer(config, {})
    made.server.on('request', (_request, response) => response.end('in'))
    made.server.listen(0, '127.0.0.1')
    await once(made.server, 'listening')
    return { ...made, [Symbol.asyncDispose]: () => made.server[Symbol.asyncDispose]() }
  }

  /** What a client with this certificate reads, trusting only `ca`. */
  async function ask(
    { server }: TlsServer,
    client: Name | undefined,
    options: { ca?: Name; maxVersion?: 'TLSv1.1' | 'TLSv1.2' } = {},
  ): Promise<string> {
    const { ca = 'server', ...more } = options
    const identity = client && { cert: readFileSync(path(client, 'crt')), key: readFileSync(path(client, 'key')) }
    const { port } = server.address() as AddressInfo
    const sent = request({ host: '127.0.0.1', port, agent: false, ca: readFileSync(path(ca, 'crt')), ...identity, ...more })
    sent.end()
    const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer>]
    return Buffer.concat(await Array.fromAsync(response)).toString()
  }

  const MODES: [mode: string | undefined, welcome: (Name | undefined)[]][] = [
    ['request-client-cert', [undefined, 'friend', 'stranger']],
    ['require-any-client-cert', ['friend', 'stranger']],
    ['verify-client-cert-if-given', [undefined, 'friend']],
    ['require-and-verify-client-cert', ['friend']],
    [undefined, ['friend']],
  ]
  for (const [mode, welcome] of MODES) {
    it(`with client CAs and ${mode ?? 'no mode'} lets in ${welcome.map((name) => name ?? 'nobody in particular').join(', ')}`, async () => {
      await using tls = await listening({ clientcas: [path('friend', 'crt')], ...(mode !== undefined && { clientauth: mode }) })
      for (const client of [undefined, 'friend', 'stranger'] as const) {
        if (welcome.includes(client)) assert.equal(await ask(tls, client), 'in')
        else await assert.rejects(ask(tls, client), Error, String(client))
      }
    })
  }

  it('speaks nothing older than TLS 1.2 unless told', async () => {
    await using tls = await listening({})
    assert.equal(await ask(tls, undefined, { maxVersion: 'TLSv1.2' }), 'in')
    await assert.rejects(ask(tls, undefined, { maxVersion: 'TLSv1.1' }))
    await using strict = await listening({ minimumtls: 'tls1.3' })
    await assert.rejects(ask(strict, undefined, { maxVersion: 'TLSv1.2' }))
  })

  it('reload takes over a new certificate, and leaves the old one when the new one does not fit', async () => {
    const certificate = join(directory, 'used.crt')
    const key = join(directory, 'used.key')
    const use = (name: Name, ...kinds: ('crt' | 'key')[]): void =>
      kinds.forEach((kind) => copyFileSync(path(name, kind), kind === 'crt' ? certificate : key))
    use('server', 'crt', 'key')
    await using tls = await listening({ certificate, key })
    assert.equal(await tls.reload(), false)
    use('friend', 'crt')
    await assert.rejects(tls.reload(), /cannot use TLS certificate/)
    assert.equal(await ask(tls, undefined), 'in')
    use('friend', 'key')
    assert.equal(await tls.reload(), true)
    assert.equal(await ask(tls, undefined, { ca: 'friend' }), 'in')
    await assert.rejects(ask(tls, undefined, { ca: 'server' }))
  })
})
