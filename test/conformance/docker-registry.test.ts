/** The docker CLI moving images between our engine and registries: Debian's docker-registry, and our own behind TLS with a token server. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DockerRegistry, dockerRegistryMissing, Engine, TestHost } from '../harness/index.ts'
import { PASSWORD, startLockedPeer, startOurs, USER, type TestRegistry } from './registries.ts'

const certificates = mkdtempSync(join(tmpdir(), 'gantry-certs-'))
const host = await TestHost.create()
const engine = await Engine.start({ host, flags: ['--registry-config-dir', certificates] })
const registries = new AsyncDisposableStack()
after(async () => {
  await registries.disposeAsync()
  await engine[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
  rmSync(certificates, { recursive: true })
})
before(() => engine.loadStarter())

/** What a failing command says. */
function fails(...args: string[]): string {
  const { status, stderr, stdout } = engine.docker(args)
  assert.notEqual(status, 0, stdout)
  return stderr
}

function login(registry: TestRegistry, password: string) {
  return engine.docker(['login', '-u', USER, '--password-stdin', registry.domain], { input: password })
}

const digestOf = (text: string): string => /digest: (sha256:[0-9a-f]{64}) size/.exec(text)?.[1] ?? assert.fail(text)

describe('an open docker-registry', { skip: dockerRegistryMissing() }, () => {
  let registry: TestRegistry
  before(async () => {
    registry = registries.use(await DockerRegistry.start({ host, port: 5000 }))
  })

  test('an image that was pushed comes back the same, by tag and by digest', () => {
    const name = `${registry.domain}/team/app`
    engine.mustDocker('tag', 'starter', `${name}:1`)
    const digest = digestOf(engine.mustDocker('push', `${name}:1`))
    const id = engine.mustDocker('image', 'inspect', '--format', '{{.Id}}', `${name}:1`)
    assert.equal(engine.mustDocker('image', 'inspect', '--format', '{{join .RepoDigests " "}}', `${name}:1`), `${name}@${digest}`)
    assert.match(engine.mustDocker('push', `${name}:1`), /Layer already exists/)
    engine.mustDocker('rmi', `${name}:1`, 'starter')
    const pulled = engine.mustDocker('pull', `${name}:1`)
    assert.match(
      pulled,
      /^1: Pulling from team\/app\n.*: Pulling fs layer\n.*: Pull complete\nDigest: (\S+)\nStatus: Downloaded newer image for \S+\n\S+$/s,
    )
    assert.equal(engine.mustDocker('image', 'inspect', '--format', '{{.Id}}', `${name}:1`), id)
    assert.match(engine.mustDocker('pull', `${name}@${digest}`), /Status: Image is up to date/)
    assert.equal(engine.mustDocker('pull', '-q', `${name}:1`), `${name}:1`)
    assert.equal(engine.mustDocker('run', '--rm', `${name}:1`, 'echo', 'moved'), 'moved')
    engine.mustDocker('tag', `${name}:1`, 'starter')
  })

  test('all tags are pushed and pulled with -a', () => {
    const name = `${registry.domain}/team/many`
    for (const tag of ['a', 'b']) engine.mustDocker('tag', 'starter', `${name}:${tag}`)
    engine.mustDocker('push', '-a', name)
    engine.mustDocker('rmi', `${name}:a`, `${name}:b`)
    engine.mustDocker('pull', '-a', name)
    assert.deepEqual(engine.mustDocker('images', '--format', '{{.Tag}}', name).split('\n').toSorted(), ['a', 'b'])
    assert.match(engine.mustDocker('images', '--digests', '--format', '{{.Digest}}', name), /^(sha256:[0-9a-f]{64}\n?)+$/)
    engine.mustDocker('rmi', `${name}:a`, `${name}:b`)
  })

  test('create and run pull what is missing, as --pull says', () => {
    const name = `${registry.domain}/team/app:1`
    engine.mustDocker('rmi', name)
    assert.match(fails('run', '--rm', '--pull', 'never', name, 'true'), /No such image/)
    const { status, stdout, stderr } = engine.docker(['run', '--rm', name, 'echo', 'pulled'])
    assert.deepEqual([status, stdout], [0, 'pulled\n'])
    assert.match(stderr, /^Unable to find image '\S+' locally\n/)
    assert.match(engine.docker(['run', '--rm', '--pull', 'always', name, 'true']).stderr, /Image is up to date/)
  })

  test('what is not there is told in the words of Docker', () => {
    const { domain } = registry
    assert.match(
      fails('pull', `${domain}/team/app:nope`),
      /^Error response from daemon: manifest for \S+team\/app:nope not found: manifest unknown/,
    )
    assert.match(fails('push', `${domain}/team/unknown:1`), /An image does not exist locally with the tag: \S+team\/unknown/)
    assert.match(fails('pull', '127.0.0.1:1/app'), /connection refused/)
  })

  test('an index has a platform for each: pull, run, list, save and delete take the one that is asked for', () => {
    const name = `${registry.domain}/team/platforms`
    const other = engine.directory
    engine.mustDocker('tag', 'starter', `${name}:amd64`)
    engine.mustDocker('create', '--name', 'source', 'starter')
    engine.mustDocker('export', '-o', join(other, 'fs.tar'), 'source')
    engine.mustDocker('import', '--platform', 'linux/arm64', join(other, 'fs.tar'), `${name}:arm64`)
    engine.mustDocker('rm', 'source')
    for (const tag of ['amd64', 'arm64']) engine.mustDocker('push', `${name}:${tag}`)
    const env = { DOCKER_CONFIG: join(other, 'manifest-config') }
    host.must(['docker', 'manifest', 'create', '--insecure', `${name}:both`, `${name}:amd64`, `${name}:arm64`], { env })
    host.must(['docker', 'manifest', 'push', '--insecure', `${name}:both`], { env })
    engine.mustDocker('rmi', `${name}:amd64`, `${name}:arm64`)

    const architecture = (): string => engine.mustDocker('image', 'inspect', '--format', '{{.Architecture}}', `${name}:both`)
    engine.mustDocker('pull', `${name}:both`)
    assert.equal(architecture(), 'amd64')
    assert.match(
      fails('image', 'inspect', '--platform', 'linux/arm64', `${name}:both`),
      /does not provide the specified platform|was found but/,
    )
    engine.mustDocker('pull', '--platform', 'linux/arm64', `${name}:both`)
    assert.equal(
      engine.mustDocker('image', 'inspect', '--platform', 'linux/arm64', '--format', '{{.Architecture}}', `${name}:both`),
      'arm64',
    )
    const tree = engine.mustDocker('images', '--tree', `${name}:both`)
    assert.match(tree, /linux\/amd64/)
    assert.match(tree, /linux\/arm64/)
    engine.mustDocker('save', '--platform', 'linux/amd64', '-o', join(other, 'one.tar'), `${name}:both`)
    assert.match(engine.mustDocker('create', '--platform', 'linux/amd64', '--name', 'chosen', `${name}:both`), /^[0-9a-f]{64}$/)
    assert.match(fails('create', '--platform', 'linux/s390x', `${name}:both`), /s390x/)
    engine.mustDocker('rm', 'chosen')
    assert.match(
      fails('pull', '--platform', 'linux/s390x', `${name}:both`),
      /no matching manifest for linux\/s390x in the manifest list entries/,
    )
    engine.mustDocker('rmi', '--platform', 'linux/arm64', `${name}:both`)
    assert.match(fails('image', 'inspect', '--platform', 'linux/arm64', `${name}:both`), /platform/)
    engine.mustDocker('rmi', `${name}:both`)
  })
})

describe('a docker-registry with passwords', { skip: dockerRegistryMissing() }, () => {
  let registry: TestRegistry
  before(async () => {
    registry = registries.use(await startLockedPeer(host, 5001))
  })

  test('only a login opens it, and a logout closes it again', () => {
    const name = `${registry.domain}/app:1`
    engine.mustDocker('tag', 'starter', name)
    assert.match(fails('push', name), /no basic auth credentials/)
    const wrong = login(registry, 'wrong')
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /401 Unauthorized|unauthorized/)
    assert.match(login(registry, PASSWORD).stdout, /Login Succeeded/)
    engine.mustDocker('push', name)
    engine.mustDocker('rmi', name)
    engine.mustDocker('pull', name)
    engine.mustDocker('logout', registry.domain)
    assert.match(fails('pull', name), /no basic auth credentials/)
    engine.mustDocker('rmi', name)
  })
})

describe('our registry behind TLS with tokens', () => {
  let registry: TestRegistry
  before(async () => {
    registry = registries.use(await startOurs(host, certificates))
  })

  test('login, push, logout: what is private is closed to everybody else, what is public is not', () => {
    const [secret, open] = [`${registry.domain}/private/app:1`, `${registry.domain}/public/app:1`]
    for (const name of [secret, open]) engine.mustDocker('tag', 'starter', name)
    assert.match(fails('push', secret), /denied|unauthorized/)
    assert.equal(login(registry, 'wrong').status, 1)
    assert.match(login(registry, PASSWORD).stdout, /Login Succeeded/)
    const digest = digestOf(engine.mustDocker('push', secret))
    assert.match(engine.mustDocker('push', open), /Mounted from private\/app|Layer already exists|Pushed/)
    engine.mustDocker('rmi', secret, open)
    assert.match(engine.mustDocker('pull', secret), new RegExp(`Digest: ${digest}`))
    engine.mustDocker('rmi', secret)
    engine.mustDocker('logout', registry.domain)
    assert.match(fails('pull', secret), /pull access denied|denied/)
    engine.mustDocker('pull', open)
    engine.mustDocker('rmi', open)
  })
})
