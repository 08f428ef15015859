import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { RegistryHost } from '../types.ts'
import { createHostResolver } from './host-resolver.ts'
import type { HostResolverDeps } from './host-resolver.ts'

const lookup = async (name: string): Promise<string[]> => (name === 'inside.example' ? ['203.0.113.7', '10.1.2.3'] : [])

/** Resolves with the files in one directory of certificates. */
async function resolved(
  domain: string,
  deps: HostResolverDeps & { files?: Record<string, string> } = {},
): Promise<readonly RegistryHost[]> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-hosts-'))
  try {
    for (const [path, text] of Object.entries(deps.files ?? {})) {
      mkdirSync(join(directory, path, '..'), { recursive: true })
      writeFileSync(join(directory, path), text)
    }
    return await createHostResolver({ lookup, directories: [join(directory, 'absent'), directory], ...deps }).hosts(domain)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const bases = (hosts: readonly RegistryHost[]): string[] => hosts.map(({ base }) => base)
const trust = ({ tls, plainFallback }: RegistryHost): boolean[] => [tls.skipVerify, plainFallback]

describe('HostResolver', () => {
  it('asks Docker Hub after its mirrors, which get no credentials and take no pushes', async () => {
    const hosts = await resolved('docker.io', { mirrors: () => ['https://mirror.example/', 'http://127.0.0.1:5000/path/'] })
    assert.deepEqual(bases(hosts), ['https://mirror.example/v2', 'http://127.0.0.1:5000/path/v2', 'https://registry-1.docker.io/v2'])
    assert.deepEqual(
      hosts.map(({ credentials, capabilities }) => [credentials, capabilities.has('push')]),
      [
        [false, false],
        [false, false],
        [true, true],
      ],
    )
    assert.deepEqual(bases(await resolved('index.docker.io')), ['https://registry-1.docker.io/v2'])
  })

  it('leaves mirrors out for every other registry', async () => {
    assert.deepEqual(bases(await resolved('ghcr.example', { mirrors: () => ['https://mirror.example/'] })), ['https://ghcr.example/v2'])
  })

  const INSECURE: [string, string[], boolean][] = [
    ['localhost:5000', [], true],
    ['127.9.9.9', [], true],
    ['[::1]:5000', [], true],
    ['registry.example', [], false],
    ['registry.example:5000', ['registry.example'], false],
    ['registry.example:5000', ['registry.example:5000'], true],
    ['10.1.2.3:5000', ['10.0.0.0/8'], true],
    ['11.1.2.3:5000', ['10.0.0.0/8'], false],
    ['inside.example', ['10.0.0.0/8'], true],
    ['docker.io', ['0.0.0.0/0', 'docker.io'], false],
  ]
  for (const [domain, entries, expected] of INSECURE) {
    it(`takes ${domain} with [${entries.join()}] for ${expected ? 'insecure' : 'secure'}`, async () => {
      const [host] = await resolved(domain, { insecure: () => entries })
      assert.deepEqual(trust(host as RegistryHost), [expected, expected])
    })
  }

  it('answers without a name server whether a registry is insecure', () => {
    const resolver = createHostResolver({ insecure: () => ['10.0.0.0/8', 'a.example'] })
    assert.deepEqual(
      ['localhost:1', 'a.example', '10.0.0.1', 'inside.example', 'docker.io'].map((domain) => resolver.isInsecure(domain)),
      [true, true, true, false, false],
    )
  })

  it("reads certificates as dockerd's", async () => {
    const files = {
      'r.example:5000/a.crt': 'CA',
      'r.example:5000/b.cert': 'CERT',
      'r.example:5000/b.key': 'KEY',
      'r.example:5000/note.txt': '',
    }
    const [host] = await resolved('r.example:5000', { files })
    assert.deepEqual(host?.tls, {
      skipVerify: false,
      ca: [Buffer.from('CA')],
      clients: [{ cert: Buffer.from('CERT'), key: Buffer.from('KEY') }],
    })
    await assert.rejects(resolved('r.example', { files: { 'r.example/b.cert': '' } }), {
      code: 'INVALID_ARGUMENT',
      message: 'missing key b.key for client certificate b.cert. CA certificates must use the extension .crt',
    })
    await assert.rejects(resolved('r.example', { files: { 'r.example/b.key': '' } }), {
      message: 'missing client certificate b.cert for key b.key',
    })
  })

  it('lets a hosts.toml decide alone, for names with ports, too', async () => {
    const toml =
      'server = "https://real.example"\n[host."https://m.example"]\nca = "../ca.pem"\nskip_verify = true\n[host."https://m.example".header]\nx = "k"'
    const files = { 'r.example_5000_/hosts.toml': toml, 'ca.pem': 'CA' }
    const [mirror, own, ...more] = await resolved('r.example:5000', { files, insecure: () => ['r.example:5000'] })
    assert.equal(more.length, 0)
    assert.deepEqual(mirror, {
      base: 'https://m.example/v2',
      capabilities: new Set(['pull', 'resolve', 'push']),
      tls: { skipVerify: true, ca: [Buffer.from('CA')], clients: [] },
      headers: { x: ['k'] },
      credentials: false,
      plainFallback: false,
      namespace: 'r.example:5000',
    })
    assert.deepEqual([own?.base, own?.credentials, own?.namespace], ['https://real.example/v2', true, 'r.example:5000'])
  })

  it("takes dockerd's word for the registry itself where hosts.toml is silent", async () => {
    const files = { 'docker.io/hosts.toml': '[host."https://m.example"]', 'r.example/hosts.toml': '' }
    assert.deepEqual(bases(await resolved('docker.io', { files, mirrors: () => ['https://other.example/'] })), [
      'https://m.example/v2',
      'https://registry-1.docker.io/v2',
    ])
    const [own] = await resolved('r.example', { files, insecure: () => ['r.example'] })
    assert.deepEqual([own?.base, ...trust(own as RegistryHost), own?.namespace], ['https://r.example/v2', true, true, undefined])
  })

  it('uses _default for what has no directory of its own', async () => {
    const files = { '_default/hosts.toml': 'server = "https://proxy.example"', 'known.example/x.crt': '' }
    assert.deepEqual(bases(await resolved('any.example', { files })), ['https://proxy.example/v2'])
    assert.deepEqual(bases(await resolved('known.example', { files })), ['https://known.example/v2'])
  })

  it('makes the API root of path, override_path and scheme', async () => {
    const roots: [string, string][] = [
      ['[host."http://m"]', 'http://m/v2'],
      ['[host."https://m/a/v2"]', 'https://m/a/v2'],
      ['[host."https://m/a/"]', 'https://m/a/v2'],
      ['[host."https://m/a"]\noverride_path = true', 'https://m/a'],
      ['[host."http://m:5000"]\nskip_verify = true', 'https://m:5000/v2'],
    ]
    for (const [toml, base] of roots)
      assert.equal((await resolved('r.example', { files: { 'r.example/hosts.toml': toml } }))[0]?.base, base)
  })

  it('refuses what is no name of a registry', async () => {
    for (const domain of ['', '..', 'a/b', 'a b', 'user@host', 'a:b']) await assert.rejects(resolved(domain), { code: 'INVALID_ARGUMENT' })
  })
})
