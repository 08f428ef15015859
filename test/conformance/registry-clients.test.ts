/**
 * SDKs that nobody here wrote, moving images between our engine and a docker-registry with passwords: dockerode, docker-py, node-sdk, testcontainers. Left out:
 * `systemAuth` of node-sdk 0.0.17, which sends the credentials as a query.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { DockerClient } from '@docker/node-sdk'
import Docker from 'dockerode'
import { dockerRegistryMissing, Engine, TestHost } from '../harness/index.ts'
import { PASSWORD, startLockedPeer, USER, type TestRegistry } from './registries.ts'

/** Runs a fixture on the test host, where published ports are; resolves with the lines it printed. */
async function runFixture(host: TestHost, engine: Engine, command: readonly string[], env: Record<string, string>): Promise<string[]> {
  const [program = '', ...args] = host.wrap(command)
  const child = spawn(program, args, {
    env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, TESTCONTAINERS_RYUK_DISABLED: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.equal(code, 0, stderr + stdout)
  return stdout.trim().split('\n')
}

describe('SDKs and a docker-registry with passwords', { skip: dockerRegistryMissing() }, () => {
  let host: TestHost
  let engine: Engine
  let registry: TestRegistry
  before(async () => {
    host = await TestHost.create()
    engine = await Engine.start({ host })
    registry = await startLockedPeer(host, 5000)
    engine.loadStarter()
  })
  after(async () => {
    await registry[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  })
  const credentials = () => ({ username: USER, password: PASSWORD, serveraddress: registry.domain })

  test('dockerode logs in, pushes, asks the registry, removes and pulls', async () => {
    const docker = new Docker({ socketPath: engine.socket })
    const name = `${registry.domain}/dockerode/app`
    const done = (stream: NodeJS.ReadableStream): Promise<any[]> =>
      new Promise((resolve, reject) => docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output))))
    assert.equal((await docker.checkAuth(credentials())).Status, 'Login Succeeded')
    await assert.rejects(docker.checkAuth({ ...credentials(), password: 'wrong' }), { statusCode: 401 })

    await docker.getImage('starter').tag({ repo: name, tag: '1' })
    const pushed = await done(await docker.getImage(name).push({ tag: '1', authconfig: credentials() }))
    const { aux } = pushed.find((message) => message.aux !== undefined) as { aux: { Tag: string; Digest: string; Size: number } }
    assert.equal(aux.Tag, '1')
    const refused = await done(await docker.getImage(name).push({ tag: '1' }))
    assert.match(refused.at(-1).error, /no basic auth credentials/)

    const answer = await docker.getImage(`${name}:1`).distribution({ authconfig: credentials() } as object)
    const inspected = answer as unknown as { Descriptor: { digest: string; size: number }; Platforms: unknown[] }
    assert.deepEqual([inspected.Descriptor.digest, inspected.Descriptor.size], [aux.Digest, aux.Size])
    assert.deepEqual(inspected.Platforms, [{ architecture: 'amd64', os: 'linux' }])

    await docker.getImage(`${name}:1`).remove()
    const pulled = await done(await docker.pull(`${name}:1`, { authconfig: credentials() }))
    assert.equal(pulled.at(-1).status, `Status: Downloaded newer image for ${name}:1`)
    assert.ok((await docker.getImage(`${name}:1`).inspect()).RepoDigests.includes(`${name}@${aux.Digest}`))
    await assert.rejects(docker.pull(`${name}:nope`, { authconfig: credentials() }), { statusCode: 404 })
    await docker.getImage(`${name}:1`).remove()
  })

  test('node-sdk pushes and pulls', async () => {
    const docker = await DockerClient.fromDockerHost(`unix://${engine.socket}`)
    try {
      const name = `${registry.domain}/node-sdk/app`
      await docker.imageTag('starter', name, '1')
      await docker.imagePush(name, { tag: '1', credentials: credentials() }).wait()
      await docker.imageDelete(`${name}:1`)
      await docker.imageCreate({ fromImage: name, tag: '1', credentials: credentials() }).wait()
      const { Manifests, Descriptor, RepoDigests } = await docker.imageInspect(`${name}:1`, { manifests: true })
      assert.ok(RepoDigests?.includes(`${name}@${Descriptor?.digest}`), String(RepoDigests))
      assert.deepEqual(
        Manifests?.map(({ Kind, Available }) => [Kind, Available]),
        [['image', true]],
      )
      await docker.imageDelete(`${name}:1`)
    } finally {
      await docker.close()
    }
  })

  const hasPython = spawnSync('python3', ['-c', 'import docker']).status === 0
  test('docker-py logs in, pushes and pulls', { skip: hasPython ? false : 'python3-docker is not installed' }, async () => {
    const program = join(import.meta.dirname, 'fixtures/docker-py-registry.py')
    const env = { REGISTRY: registry.domain, REGISTRY_USER: USER, REGISTRY_PASSWORD: PASSWORD }
    assert.deepEqual(await runFixture(host, engine, ['python3', program], env), ['login', 'push', 'registry_data', 'pull', 'errors'])
  })

  test('testcontainers pulls the image of a container', { timeout: 120_000 }, async () => {
    const name = `${registry.domain}/testcontainers/app:1`
    engine.mustDocker('tag', 'starter', name)
    engine.docker(['login', '-u', USER, '--password-stdin', registry.domain], { input: PASSWORD })
    engine.mustDocker('push', name)
    engine.mustDocker('rmi', name)
    const program = join(import.meta.dirname, 'fixtures/testcontainers-registry.ts')
    const auths = { [registry.domain]: { auth: Buffer.from(`${USER}:${PASSWORD}`).toString('base64') } }
    const env = { IMAGE: name, DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) }
    assert.deepEqual(await runFixture(host, engine, [process.execPath, program], env), ['pulled', 'always', 'missing'])
  })
})
