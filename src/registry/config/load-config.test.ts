import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig, type LoadedConfig } from './load-config.ts'
import { COMMANDS, type Option } from './options.ts'
import { parseOptions } from './parse-options.ts'

const SERVE: readonly Option[] = COMMANDS.find(({ name }) => name === 'serve')?.options ?? []

function load(yaml: string | undefined, args: readonly string[] = [], environment: Record<string, string> = {}): LoadedConfig {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-config-'))
  try {
    const path = join(directory, 'config.yml')
    if (yaml !== undefined) writeFileSync(path, yaml)
    const given = parseOptions(SERVE, [...(yaml === undefined ? [] : ['--config', path]), ...args], 'serve')
    return loadConfig(SERVE, given, environment)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const ROOT = 'version: 0.1\nstorage: {filesystem: {rootdirectory: /data}}\n'

describe('loadConfig', () => {
  it('takes what Debian ships for docker-registry, and says what has no effect', () => {
    const { config, notes } = load(`
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
auth:
  htpasswd:
    realm: basic-realm
    path: /etc/docker/registry
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`)
    assert.deepEqual(config.storage.backend, { kind: 'filesystem', root: '/var/lib/docker-registry' })
    assert.equal(config.storage.deleteEnabled, true)
    assert.deepEqual(config.http.listen, { kind: 'tcp', host: '', port: 5000 })
    assert.deepEqual(config.http.headers, { 'X-Content-Type-Options': ['nosniff'] })
    assert.deepEqual(config.auth, { kind: 'basic', realm: 'basic-realm', htpasswd: '/etc/docker/registry' })
    assert.deepEqual(config.health, [{ kind: 'storage', interval: 10_000, threshold: 3 }])
    assert.deepEqual(config.log.fields, { service: 'registry' })
    assert.deepEqual(notes, ['storage.cache.blobdescriptor has no effect: blobs are found without a cache'])
  })

  it('has the defaults of docker-registry', () => {
    const { storage, http, notifications, proxy } = load(ROOT).config
    assert.deepEqual(storage.uploadPurging, { age: 168 * 3600e3, interval: 24 * 3600e3, dryRun: false })
    assert.deepEqual(
      [storage.deleteEnabled, storage.redirect, storage.readOnly, storage.garbageCollection.interval],
      [false, true, false, undefined],
    )
    assert.deepEqual([http.tls, http.debug, http.metricsPath, http.externalUrl], [undefined, undefined, undefined, undefined])
    assert.deepEqual(notifications, { endpoints: [] })
    assert.equal(proxy, undefined)
    assert.equal(load(`${ROOT}proxy: {remoteurl: 'https://registry-1.docker.io/'}`).config.proxy?.ttl, 168 * 3600e3)
  })

  it('flags win over the environment, and that over the file', () => {
    const environment = {
      REGISTRY_HTTP_ADDR: ':6000',
      REGISTRY_HTTP_NET: 'tcp',
      REGISTRY_LOG_LEVEL: 'debug',
      REGISTRY_PORT: 'tcp://1.2.3.4:5',
      PATH: '/bin',
    }
    const { config, notes } = load(`${ROOT}http: {addr: ':5000'}\nlog: {level: error}`, ['--listen', ':7000'], environment)
    assert.deepEqual(config.http.listen, { kind: 'tcp', host: '', port: 7000 })
    assert.equal(config.log.level, 'debug')
    assert.deepEqual(notes, ['environment variable REGISTRY_PORT names no option'])
    const listed = load(ROOT, [], {
      REGISTRY_HTTP_TLS_CLIENTCAS: '[/a, /b]',
      REGISTRY_HTTP_TLS_CERTIFICATE: '/c',
      REGISTRY_HTTP_TLS_KEY: '/k',
    })
    assert.deepEqual(listed.config.http.tls?.clientCas, ['/a', '/b'])
  })

  it('works from flags alone', () => {
    const { config } = load(undefined, ['--root', '/r', '--tls-cert=/c', '--tls-key', '/k', '--htpasswd', '/u', '--read-only', '--metrics'])
    assert.deepEqual(config.storage.backend, { kind: 'filesystem', root: '/r' })
    assert.deepEqual([config.http.tls?.certificate, config.http.tls?.key, config.http.tls?.minVersion], ['/c', '/k', 'TLSv1.2'])
    assert.deepEqual([config.auth.kind, config.storage.readOnly, config.http.metricsPath], ['basic', true, '/metrics'])
  })

  it('reads S3 with the keys of docker-registry', () => {
    const { backend } = load(`
version: 0.1
storage:
  s3:
    accesskey: a
    secretkey: s
    regionendpoint: minio:9000
    secure: false
    bucket: b
    rootdirectory: /deep/prefix/
    chunksize: 5242880
    v4auth: true
`).config.storage
    assert.ok(backend.kind === 's3')
    const { endpoint, pathStyle, region, prefix, chunkSize, credentials } = backend.s3
    assert.deepEqual([endpoint, pathStyle, region, prefix, chunkSize], ['http://minio:9000', true, 'us-east-1', 'deep/prefix', 5 << 20])
    assert.equal(credentials?.accessKeyId, 'a')
  })

  it('reads the access list and the token server', () => {
    const { access, auth } = load(`${ROOT}
auth:
  htpasswd: {path: /users}
  tokenserver: {service: hub, expiration: 10m}
access:
  groups: {team: [alice, bob]}
  rules:
    - {group: team, repository: 'team/**', actions: [pull, push]}
    - {user: '*', repository: '**', actions: [pull]}
    - {anonymous: true, repository: 'public/*', actions: [pull]}
`).config
    assert.deepEqual([...(access?.groups.get('team') ?? [])], ['alice', 'bob'])
    assert.deepEqual(
      access?.rules.map(({ subject }) => subject),
      [{ kind: 'group', name: 'team' }, { kind: 'user', name: '*' }, { kind: 'anonymous' }],
    )
    assert.ok(auth.kind === 'tokenserver' && auth.server.expiration === 600_000 && auth.server.realm === undefined)
  })

  const REFUSED: [string, string, RegExp][] = [
    ['unknown keys by name', `${ROOT}http: {adress: ':1'}`, /: http\.adress: unknown key$/],
    [
      'unknown keys in lists',
      `${ROOT}notifications: {endpoints: [{url: 'http://a', retries: 1}]}`,
      /notifications\.endpoints\[0\]\.retries: unknown key/,
    ],
    ['what docker-registry has and we do not', `${ROOT}redis: {addr: a}`, /: redis: not supported: /],
    ['another storage', 'version: 0.1\nstorage: {gcs: {bucket: a}}', /storage\.gcs: not supported: use s3/],
    ['two storages', 'version: 0.1\nstorage: {filesystem: {rootdirectory: /a}, s3: {bucket: b, region: c}}', /exclude each other/],
    ['no storage', 'version: 0.1', /storage\.filesystem\.rootdirectory: is required/],
    ['no version', 'storage: {filesystem: {rootdirectory: /a}}', /version: is required/],
    ['another version', ROOT.replace('0.1', '0.2'), /version: cannot use 0\.2/],
    ['wrong types', `${ROOT}http: {relativeurls: perhaps}`, /http\.relativeurls: cannot use "perhaps": wanted is true or false/],
    ['wrong durations', `${ROOT}http: {draintimeout: 5 minutes}`, /http\.draintimeout: cannot use "5 minutes"/],
    [
      'half of a pair of keys',
      'version: 0.1\nstorage: {s3: {bucket: b, region: r, accesskey: a}}',
      /accesskey and secretkey belong together/,
    ],
    ['parts that S3 does not take', 'version: 0.1\nstorage: {s3: {bucket: b, region: r, chunksize: 1000}}', /chunksize: must be between/],
    ['a certificate without a key', `${ROOT}http: {tls: {certificate: /c}}`, /http\.tls\.key: is required/],
    ['rights without users', `${ROOT}access: {rules: []}`, /access: needs auth\.htpasswd/],
    [
      'rules for unknown groups',
      `${ROOT}auth: {htpasswd: {path: /u}}\naccess: {rules: [{group: x, repository: a, actions: [pull]}]}`,
      /unknown group "x"/,
    ],
    [
      'rules for nobody',
      `${ROOT}auth: {htpasswd: {path: /u}}\naccess: {rules: [{repository: a, actions: [pull]}]}`,
      /one of user, group and anonymous/,
    ],
    [
      'two kinds of tokens',
      `${ROOT}auth: {token: {realm: r, service: s, issuer: i, jwks: /j}, htpasswd: {path: /u}}`,
      /token excludes htpasswd/,
    ],
    ['what is no mapping', '- 1', /the file holds no mapping/],
    [
      'aliases that unfold without end',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${['b', 'c', 'd', 'e'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcd'[index]}`).join(',')}]`).join('\n')}`,
      /alias/i,
    ],
  ]
  for (const [what, yaml, message] of REFUSED) it(`refuses ${what}`, () => assert.throws(() => load(yaml), { message }))

  it('names the ciphers as OpenSSL does', () => {
    const suites = [
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_RSA_WITH_AES_256_CBC_SHA',
      'TLS_AES_128_GCM_SHA256',
    ]
    const { tls } = load(`${ROOT}http: {tls: {certificate: /c, key: /k, ciphersuites: [${suites.join(', ')}]}}`).config.http
    assert.equal(tls?.ciphers, 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:AES256-SHA:TLS_AES_128_GCM_SHA256')
  })
})

describe('parseOptions', () => {
  const REFUSED: [string[], string][] = [
    [['--nope'], 'unknown flag: --nope'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['--root'], 'flag needs an argument: --root'],
    [['--read-only=perhaps'], 'invalid argument "perhaps" for "--read-only" flag: wanted is true or false'],
    [['here'], '"serve" accepts no arguments'],
  ]
  for (const [args, message] of REFUSED)
    it(`refuses ${args.join(' ')}`, () => assert.throws(() => parseOptions(SERVE, args, 'serve'), { message }))

  it('collects lists and takes switches with and without a value', () => {
    const given = parseOptions(SERVE, ['--tls-ca', 'a', '--tls-ca=b', '--read-only', '--metrics=false'], 'serve')
    assert.deepEqual(Object.fromEntries(given), { 'tls-ca': ['a', 'b'], 'read-only': true, metrics: false })
  })
})
