/** Where the daemon looks for an image: mirrors, `hosts.toml`, registries with certificates of their own, proxies. Needs root and docker-registry. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DockerRegistry, Engine, FaultProxy, TestHost } from '../../harness/index.ts'
import { makeSmallImage, uploadImage } from '../../fault/small-image.ts'

/** Not loopback: certificates count here. */
const ADDRESS = '10.99.7.1'

let host: TestHost
let registry: DockerRegistry
let directory: string
let uploads = 0

before(async () => {
  host = await TestHost.create()
  host.must(['ip', 'address', 'add', `${ADDRESS}/32`, 'dev', 'lo'])
  registry = await DockerRegistry.start()
  directory = mkdtempSync(join(tmpdir(), 'gantry-certs-'))
})
after(async () => {
  rmSync(directory, { recursive: true, force: true })
  await registry[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

/** Runs `work` with a daemon that has these flags and nothing pulled. */
async function withEngine(flags: string[], work: (engine: Engine) => Promise<void>): Promise<void> {
  await using engine = await Engine.start({ host, flags: ['--registry-config-dir', directory, ...flags] })
  await work(engine)
}

/** Writes the files of a registry's directory. */
function configure(domain: string, files: Record<string, string | Buffer>): void {
  rmSync(join(directory, domain), { recursive: true, force: true })
  mkdirSync(join(directory, domain))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, domain, name), content)
}

async function newImage(repository: string): Promise<string> {
  await uploadImage(registry.domain, `${repository}-${++uploads}`, makeSmallImage([1000]))
  return `${repository}-${uploads}`
}

/** The error of a pull, undefined when there was none. The user is logged in. */
async function pull(engine: Engine, name: string): Promise<string | undefined> {
  const auth = Buffer.from(JSON.stringify({ username: 'me', password: 'secret' })).toString('base64url')
  const reply = await engine.request('POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=1`, undefined, {
    'X-Registry-Auth': auth,
  })
  if (reply.status !== 200) return String(reply.json.message)
  return reply.text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { error?: string }).error)
    .find((error) => error !== undefined)
}

describe('--registry-mirror', () => {
  it('is asked for images of Docker Hub, and sees nobody else’s password', async () => {
    await using mirror = await FaultProxy.start(registry.domain, { host, tokens: true })
    await withEngine(['--registry-mirror', `http://${mirror.domain}`], async (engine) => {
      const repository = await newImage('library/mirrored')
      assert.equal(await pull(engine, repository.slice('library/'.length)), undefined)
      const [token] = mirror.seen.filter(({ path }) => path.startsWith('/token'))
      assert.equal(token?.authorization, undefined)
      assert.ok(mirror.seen.every(({ authorization }) => authorization?.startsWith('Basic') !== true))
      // Hub cannot be reached from here: its error is the one that counts.
      assert.match(
        (await pull(engine, 'absent')) ?? '',
        /^Get "https:\/\/registry-1\.docker\.io\/v2\/": dial tcp: lookup registry-1\.docker\.io/,
      )
    })
  })

  it('is passed over when it breaks in the middle of a layer', async () => {
    await using first = await FaultProxy.start(registry.domain, { host })
    await using second = await FaultProxy.start(registry.domain, { host })
    first.rules.push({ path: /\/blobs\//, fault: { kind: 'cut-response', at: 10 } })
    const flags = [first, second].flatMap(({ domain }) => ['--registry-mirror', `http://${domain}`])
    await withEngine([...flags, '--max-download-attempts', '1'], async (engine) => {
      const repository = await newImage('library/twice')
      assert.equal(await pull(engine, repository), undefined)
      assert.ok(second.seen.some(({ path, headers }) => path.includes('/blobs/') && headers.range === 'bytes=10-'))
    })
  })
})

describe('hosts.toml', () => {
  it('leads any registry to its mirrors, read anew at each pull', async () => {
    await using mirror = await FaultProxy.start(registry.domain, { host })
    await withEngine([], async (engine) => {
      const repository = await newImage('team/app')
      configure('registry.example', {
        'hosts.toml': `[host."http://${mirror.domain}"]\n[host."http://${mirror.domain}".header]\nx-key = "k"`,
      })
      assert.equal(await pull(engine, `registry.example/${repository}`), undefined)
      const manifest = mirror.seen.find(({ path }) => path.includes('/manifests/'))
      assert.match(manifest?.path ?? '', /\?ns=registry\.example$/)
      assert.deepEqual([manifest?.headers['x-key'], manifest?.authorization], ['k', undefined])
      configure('registry.example', { 'hosts.toml': 'server = 5' })
      assert.match(
        (await pull(engine, `registry.example/${repository}`)) ?? '',
        /^cannot use .*\/registry\.example\/hosts\.toml: server is not a string$/,
      )
    })
  })

  it('can keep what a tag means apart from where content comes from', async () => {
    await using content = await FaultProxy.start(registry.domain, { host })
    await using own = await FaultProxy.start(registry.domain, { host })
    await withEngine([], async (engine) => {
      const repository = await newImage('team/app')
      configure('registry.example', {
        'hosts.toml': `server = "http://${own.domain}"\n[host."http://${content.domain}"]\ncapabilities = ["pull"]`,
      })
      assert.equal(await pull(engine, `registry.example/${repository}`), undefined)
      assert.ok(content.seen.every(({ path }) => !path.endsWith('/manifests/1')))
      assert.ok(content.seen.some(({ path }) => path.includes('/blobs/')))
      assert.ok(own.seen.every(({ path }) => !path.includes('/blobs/')))
    })
  })
})

describe('a registry with certificates of its own', () => {
  it('is trusted by its directory, and sees our certificate', async () => {
    const { cert, key } = makeCertificate()
    const tls = { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true }
    await using secure = await FaultProxy.start(registry.domain, { host, tls })
    const domain = `${ADDRESS}:${secure.port}`
    await withEngine([], async (engine) => {
      const repository = await newImage('secure/app')
      const expected = new RegExp(
        `^Get "https://${domain}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority$`,
      )
      assert.match((await pull(engine, `${domain}/${repository}`)) ?? '', expected)
      // docker-registry knows nothing of the TLS before it and gives locations in plain HTTP: pushes stay on TLS.
      configure(domain, { 'ca.crt': cert, 'me.cert': cert, 'me.key': key })
      assert.equal(await pull(engine, `${domain}/${repository}`), undefined)
      await engine.request('POST', `/images/${domain}/${repository}:1/tag?repo=${domain}/secure/again&tag=1`)
      const pushed = await engine.request('POST', `/images/${domain}/secure/again/push?tag=1`, undefined, { 'X-Registry-Auth': 'e30=' })
      assert.match(pushed.text, /1: digest: sha256:[0-9a-f]{64} size: \d+/)
    })
  })

  it('does not get a password by way of a token server in plain HTTP', async () => {
    const { cert, key } = makeCertificate()
    await using secure = await FaultProxy.start(registry.domain, { host, tokens: true, tls: { cert, key } })
    const domain = `${ADDRESS}:${secure.port}`
    configure(domain, { 'ca.crt': cert })
    await withEngine([], async (engine) => {
      assert.match((await pull(engine, `${domain}/a`)) ?? '', /token server http:.* is not reached over TLS: credentials are not sent$/)
    })
  })

  it('needs no checking where it is insecure, and no TLS at all', async () => {
    const { cert, key } = makeCertificate()
    await using secure = await FaultProxy.start(registry.domain, { host, tls: { cert, key } })
    await using plain = await FaultProxy.start(registry.domain, { host })
    const domains = [secure, plain].map(({ port }) => `${ADDRESS}:${port}`)
    const repository = await newImage('insecure/app')
    await withEngine([], async (engine) => {
      for (const [domain, error] of [
        [domains[0], /certificate signed by unknown authority$/],
        [domains[1], /http: server gave HTTP response to HTTPS client$/],
      ] as const)
        assert.match((await pull(engine, `${domain}/${repository}`)) ?? '', error)
    })
    await withEngine(['--insecure-registry', '10.99.0.0/16'], async (engine) => {
      for (const domain of domains) assert.equal(await pull(engine, `${domain}/${repository}`), undefined)
    })
  })
})

describe('--http-proxy', () => {
  it('carries the requests, but not those that no-proxy names', async () => {
    await using through = await FaultProxy.start(registry.domain, { host })
    through.rules.push({ path: /^http:/, fault: { kind: 'status', status: 503 } })
    configure('registry.example', { 'hosts.toml': 'server = "http://registry.example"' })
    const flags = ['--http-proxy', `http://${through.domain}`, '--no-proxy', 'direct.example']
    configure('direct.example', { 'hosts.toml': 'server = "http://direct.example"' })
    await withEngine(flags, async (engine) => {
      assert.match((await pull(engine, 'registry.example/a')) ?? '', /503 Service Unavailable$/)
      assert.equal(through.seen[0]?.path, 'http://registry.example/v2/')
      assert.match((await pull(engine, 'direct.example/a')) ?? '', /lookup direct\.example/)
    })
  })
})

/** One that signs itself, for {@link ADDRESS}. */
function makeCertificate(): { cert: Buffer; key: Buffer } {
  const files = ['cert', 'key'].map((name) => join(directory, `own.${name}`)) as [string, string]
  const what = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=test']
  execFileSync('openssl', [...what, '-addext', `subjectAltName=IP:${ADDRESS}`, '-out', files[0], '-keyout', files[1]], { stdio: 'ignore' })
  return { cert: readFileSync(files[0]), key: readFileSync(files[1]) }
}
