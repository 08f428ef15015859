/** Live answers against Docker's own description of API 1.51, where that file is at hand. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { dockerRegistryMissing, Engine, ROOT } from '../harness/index.ts'
import { PASSWORD, startLockedPeer, USER, type TestRegistry } from './registries.ts'
import { ApiDocument } from './swagger.ts'

const FILE = join(ROOT, '../shared/docker-api/v1.51.yaml')
const skip = existsSync(FILE) ? false : 'the API file v1.51.yaml is not here'

/** What Docker's own answers do not follow either, or what the file leaves out: each with its reason. */
const KNOWN: readonly RegExp[] = [
  // A *int64 and a *int that are not set; Docker writes null, too.
  /^\.HostConfig\.MemorySwappiness is null$/,
  /^\.ExitCode is null$/,
  // Required by the file, which does not describe it; Docker has no such member.
  /^\.Manifests\[\d+\]\.ImageData\.UnpackedSize is missing$/,
  /^\[\d+\]\.Manifests\[\d+\]\.ImageData\.UnpackedSize is missing$/,
  // In the answers of every version, in the file from 1.52 on.
  /^\.os_type is not in the schema$/,
  // Doubles of Action and Actor, which clients older than API 1.22 read; sent up to 1.51.
  /^\.(status|id|from) is not in the schema$/,
]

if (skip) test('answers fit the API file', { skip })
else {
  const document = new ApiDocument(FILE)
  const engine = await Engine.start()
  after(() => engine[Symbol.asyncDispose]())
  // In a hook: what throws beside the tests runs no hooks, and the engine would stay.
  before(() => {
    engine.loadStarter()
    engine.mustDocker('volume', 'create', '--label', 'a=b', 'data')
    const options = [
      '--name',
      'web',
      '--label',
      'a=b',
      '-p',
      '8080:80',
      '-v',
      'data:/data',
      '--health-cmd',
      'true',
      '--health-interval',
      '200ms',
      '-m',
      '64m',
    ]
    engine.mustDocker('run', '-d', ...options, '-w', '/tmp', '--hostname', 'webhost', 'starter', 'sleep', '1000')
    engine.docker(['run', '--name', 'done', 'starter', 'sh', '-c', 'echo hi; exit 3'])
    engine.mustDocker('create', '--name', 'new', '--tmpfs', '/t', '--mount', 'type=volume,dst=/anonymous', 'starter')
    engine.mustDocker('exec', '-d', 'web', 'sleep', '999')
    engine.mustDocker('network', 'create', '--ipv6', '--label', 'a=b', '--subnet', '10.7.0.0/24', '--aux-address', 'x=10.7.0.9', 'back')
    engine.mustDocker('network', 'connect', '--alias', 'friend', '--ip', '10.7.0.4', '--gw-priority', '2', 'back', 'web')
    engine.mustDocker('network', 'connect', 'back', 'new')
    engine.mustDocker('create', '--name', 'linked', '--link', 'web:alias', 'starter')
  })

  const problems = (method: string, template: string, status: number, body: unknown): string[] =>
    document
      .validate(method, template, status, body)
      .map(({ at, what }) => `${at} ${what}`)
      .filter((problem) => !KNOWN.some((known) => known.test(problem)))
  const call = async (method: string, template: string, path: string, body?: unknown): Promise<any> => {
    const reply = await engine.request(method, `/v1.51${path}`, body)
    assert.deepEqual(problems(method, template, reply.status, reply.json ?? reply.text), [], `${reply.status} ${reply.text.slice(0, 2000)}`)
    return reply.json
  }
  const fits = (method: string, template: string, path: string = template, body?: unknown): void => {
    test(`${method} ${path} fits the API file`, () => call(method, template, path, body))
  }

  for (const name of ['web', 'done', 'new', 'linked']) fits('GET', '/containers/{id}/json', `/containers/${name}/json`)
  fits('GET', '/containers/{id}/json', '/containers/web/json?size=1')
  fits('GET', '/containers/{id}/json', '/containers/absent/json')
  fits('GET', '/containers/json', '/containers/json?all=1&size=1')
  fits('GET', '/containers/{id}/top', '/containers/web/top')
  fits('GET', '/containers/{id}/stats', '/containers/web/stats?stream=0')
  fits('GET', '/containers/{id}/stats', '/containers/web/stats?stream=0&one-shot=1')
  fits('GET', '/containers/{id}/changes', '/containers/web/changes')
  fits('POST', '/containers/{id}/wait', '/containers/done/wait')
  fits('POST', '/containers/{id}/update', '/containers/web/update', { Memory: 67108864, MemorySwap: 134217728 })
  fits('POST', '/containers/create', '/containers/create', { Image: 'starter', Labels: { made: 'here' } })
  fits('POST', '/containers/create', '/containers/create', { Image: 'absent' })
  fits('POST', '/containers/prune', `/containers/prune?filters=${encodeURIComponent('{"label":["made"]}')}`)
  fits('GET', '/images/json', '/images/json?shared-size=1')
  fits('GET', '/images/{name}/json', '/images/starter/json')
  fits('GET', '/images/{name}/history', '/images/starter/history')
  fits('GET', '/volumes')
  fits('GET', '/volumes/{name}', '/volumes/data')
  fits('POST', '/volumes/create', '/volumes/create', { Name: 'another' })
  fits('GET', '/networks')
  fits('GET', '/networks/{id}', '/networks/bridge')
  fits('GET', '/networks/{id}', '/networks/back?verbose=1')
  fits('GET', '/networks/{id}', '/networks/absent')
  fits('DELETE', '/networks/{id}', '/networks/back')
  fits('DELETE', '/networks/{id}', '/networks/host')
  fits('POST', '/networks/create', '/networks/create', {
    Name: 'template',
    ConfigOnly: true,
    IPAM: { Config: [{ Subnet: '10.8.0.0/24' }] },
  })
  fits('POST', '/networks/create', '/networks/create', { Name: 'from', ConfigFrom: { Network: 'template' } })
  fits('POST', '/networks/create', '/networks/create', { Name: 'bad', IPAM: { Config: [{ Subnet: 'x' }] } })
  fits('GET', '/networks/{id}', '/networks/from')
  fits('POST', '/networks/{id}/connect', '/networks/from/connect', { Container: 'web', EndpointConfig: { Aliases: ['a'] } })
  fits('POST', '/networks/{id}/connect', '/networks/from/connect', { Container: 'web' })
  fits('POST', '/networks/{id}/disconnect', '/networks/from/disconnect', { Container: 'web', Force: true })
  fits('POST', '/networks/prune', `/networks/prune?filters=${encodeURIComponent('{"until":["0s"]}')}`)
  fits('GET', '/info')
  fits('GET', '/version')
  fits('GET', '/system/df')

  test('an exec fits the API file', async () => {
    const { Id } = await call('POST', '/containers/{id}/exec', '/containers/web/exec', { Cmd: ['true'], AttachStdout: true })
    await call('GET', '/exec/{id}/json', `/exec/${Id}/json`)
  })

  test('events fit the API file', async () => {
    const { text } = await engine.request('GET', `/v1.51/events?since=0&until=${Math.floor(Date.now() / 1000)}`)
    const events = text.trim().split('\n')
    assert.ok(events.length > 5)
    for (const event of events) assert.deepEqual(problems('GET', '/events', 200, JSON.parse(event)), [], event)
  })

  describe('with a registry', { skip: dockerRegistryMissing() }, () => {
    let registry: TestRegistry
    let name = ''
    before(async () => {
      registry = await startLockedPeer(engine.host, 5000)
      name = `${registry.domain}/team/app`
      engine.mustDocker('tag', 'starter', `${name}:1`)
      const auth = Buffer.from(JSON.stringify({ username: USER, password: PASSWORD })).toString('base64url')
      const pushed = await engine.request('POST', `/v1.51/images/${name}/push?tag=1`, undefined, { 'X-Registry-Auth': auth })
      assert.match(pushed.text, /"aux":/)
    })
    after(() => registry[Symbol.asyncDispose]())

    test('logins fit the API file', async () => {
      const login = (password: string): object => ({ username: USER, password, serveraddress: registry.domain })
      assert.equal((await call('POST', '/auth', '/auth', login(PASSWORD))).Status, 'Login Succeeded')
      await call('POST', '/auth', '/auth', login('wrong'))
    })

    test('an image with its manifest fits the API file', async () => {
      const inspected = await call('GET', '/images/{name}/json', `/images/${name}:1/json?manifests=1`)
      assert.equal(inspected.Manifests.length, 1)
      const listed = await call('GET', '/images/json', '/images/json?manifests=1')
      assert.ok(listed.some(({ Manifests }: { Manifests: unknown[] }) => Manifests.length === 1))
      const platform = encodeURIComponent('{"os":"linux","architecture":"amd64"}')
      await call('GET', '/images/{name}/json', `/images/${name}:1/json?platform=${platform}`)
      await call('GET', '/images/{name}/history', `/images/${name}:1/history?platform=${platform}`)
      await call('DELETE', '/images/{name}', `/images/${name}:1?platforms=${encodeURIComponent('{"os":"linux","architecture":"s390x"}')}`)
    })

    test('what a registry says of a name fits the API file', async () => {
      const auth = Buffer.from(JSON.stringify({ username: USER, password: PASSWORD })).toString('base64url')
      const reply = await engine.request('GET', `/v1.51/distribution/${name}:1/json`, undefined, { 'X-Registry-Auth': auth })
      assert.equal(reply.status, 200, reply.text)
      assert.deepEqual(problems('GET', '/distribution/{name}/json', 200, reply.json), [])
      await call('GET', '/distribution/{name}/json', `/distribution/${name}:1/json`)
    })
  })
}
