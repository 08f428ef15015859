import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClassicRequest } from '#build'
import { EngineError, invalidArgument } from '#errors'
import { startServer } from '../testing/harness.ts'

/** The request that the query leads to, without what is different each time. */
async function decoded(query: string, headers: Record<string, string> = {}): Promise<Partial<ClassicRequest>> {
  let seen: Partial<ClassicRequest> = {}
  await using server = await startServer({
    classicBuilder: {
      build: async ({ report, archive, ...request }) => {
        await archive?.resume().toArray()
        Reflect.deleteProperty(request, 'signal')
        seen = request
        report({ stream: 'done\n' })
      },
    },
  })
  const answer = await server.request('POST', `/build?${query}`, {
    body: 'tar',
    headers: { 'content-type': 'application/x-tar', ...headers },
  })
  assert.equal(answer.status, 200, answer.text)
  return seen
}

test('build reads every parameter of the query', async () => {
  const query = new URLSearchParams({
    dockerfile: 'a/Dockerfile.dev',
    target: 'prod',
    buildargs: '{"A":"1","HTTP_PROXY":null}',
    labels: '{"l":"v"}',
    nocache: '1',
    pull: 'true',
    networkmode: 'host',
    memory: '1048576',
    cpusetcpus: '0-1',
    shmsize: '65536',
    ulimits: '[{"Name":"nofile","Soft":1,"Hard":2}]',
    extrahosts: 'a:1.2.3.4',
    platform: 'linux/amd64',
    cachefrom: '["app:old"]',
    buildid: 'x',
  })
  query.append('t', 'app:1')
  query.append('t', 'app:2')
  query.append('extrahosts', 'six:[fd00::1]')
  assert.deepEqual(await decoded(query.toString()), {
    id: 'x',
    names: ['app:1', 'app:2'],
    quiet: false,
    cacheImports: [{ type: 'registry', attributes: { ref: 'app:old' } }],
    credentials: {},
    options: {
      memory: '1048576',
      'shm-size': '65536',
      'cpuset-cpus': '0-1',
      target: 'prod',
      'build-arg:A': '1',
      'label:l': 'v',
      filename: 'a/Dockerfile.dev',
      platform: 'linux/amd64',
      'no-cache': '',
      'image-resolve-mode': 'pull',
      'force-network-mode': 'host',
      'add-hosts': 'a=1.2.3.4,six=fd00::1',
      ulimit: 'nofile=1:2',
    },
  })
})

test('build takes logins by registry, and none from what cannot be read', async () => {
  const config = { 'https://index.docker.io/v1/': { username: 'u', password: 'p' }, 'r:5000': { identitytoken: 't' } }
  const header = Buffer.from(JSON.stringify(config)).toString('base64')
  const { credentials } = await decoded('', { 'x-registry-config': header })
  assert.deepEqual(credentials, { 'docker.io': { username: 'u', password: 'p' }, 'r:5000': { identityToken: 't' } })
  assert.deepEqual((await decoded('', { 'x-registry-config': '!' })).credentials, {})
})

test('build refuses what is malformed or not there before it begins', async () => {
  await using server = await startServer({})
  const refused: [query: string, status: number, message: RegExp][] = [
    ['buildargs=[1]', 400, /^error reading build args: /],
    ['labels={', 400, /labels/],
    ['ulimits=[{}]', 400, /^error reading ulimit settings: /],
    ['memory=x', 400, /memory|Atoi/],
    ['squash=1', 400, /^squash is only supported with experimental mode$/],
    ['securityopt=seccomp%3Dunconfined', 400, /^The daemon on this platform does not support setting security options on build$/],
    ['platform=foobar', 400, /^"foobar": unknown operating system or architecture: invalid argument$/],
    ['t=app&t=ABC', 400, /must be lowercase/],
    [`t=app@sha256:${'a'.repeat(64)}`, 400, /^build tag cannot contain a digest$/],
    ['remote=client-session', 400, /^experimental session with v1 builder is no longer supported/],
    ['version=3', 400, /invalid version 3/],
    ['outputs=[]', 400, /outputs are for builds with version=2/],
    ['version=2&outputs=x', 400, /invalid outputs/],
  ]
  for (const [query, status, message] of refused) {
    const answer = await server.request('POST', `/build?${query}`, { body: 'tar', headers: { 'content-type': 'application/x-tar' } })
    assert.equal(answer.status, status, query)
    assert.match((answer.json() as { message: string }).message, message, query)
  }
})

test('build tells the exit code of a failed command inside the stream, and an early error by status', async () => {
  let early = true
  await using server = await startServer({
    classicBuilder: {
      build: async ({ archive, report }) => {
        await archive?.resume().toArray()
        if (early) throw invalidArgument('dockerfile parse error on line 1: unknown instruction: FOO')
        report({ stream: 'Step 1/1 : RUN false' })
        throw Object.assign(new EngineError('INTERNAL', "The command 'false' returned a non-zero code: 3"), { exitCode: 3 })
      },
    },
  })
  const send = (): ReturnType<typeof server.request> =>
    server.request('POST', '/build', { body: 'tar', headers: { 'content-type': 'application/x-tar' } })
  assert.equal((await send()).status, 400)
  early = false
  const lines = (await send()).text.trim().split('\r\n')
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), {
    errorDetail: { code: 3, message: "The command 'false' returned a non-zero code: 3" },
    error: "The command 'false' returned a non-zero code: 3",
  })
})
