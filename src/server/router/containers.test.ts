import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommitRequest, CreateRequest, UpdateRequest } from '#containers'
import { CONTAINER_ID, fakeContainer, fakeSummary, IMAGE_ID, knowsContainer } from '../testing/fake-services.ts'
import { startServer } from '../testing/harness.ts'

test('create passes name, platform and body on, and joins the warnings', async () => {
  const requests: CreateRequest[] = []
  await using server = await startServer({
    containers: {
      create: async (request) => {
        requests.push(request)
        return { id: CONTAINER_ID, warnings: ['from below'] }
      },
    },
  })
  const body = { Image: 'x', MacAddress: '02:00:00:00:00:01' }
  const answer = await server.request('POST', '/v1.44/containers/create?name=web&platform=linux/arm64', { body })
  assert.equal(answer.status, 201)
  assert.deepEqual(answer.json(), {
    Id: CONTAINER_ID,
    Warnings: ['from below', 'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.'],
  })
  assert.equal(requests[0]?.name, 'web')
  assert.equal(requests[0]?.platform, 'linux/arm64')
  await server.request('POST', '/v1.40/containers/create?platform=linux/arm64', { body: {} })
  assert.equal(requests[1]?.platform, '')
  assert.equal((await server.request('POST', '/containers/create?platform=a/b/c/d', { body: {} })).status, 400)
})

test('list passes limit and filters on, also in their old places', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    containers: {
      list: async (options) => {
        asked.push(options)
        return [fakeSummary()]
      },
    },
  })
  const filters = encodeURIComponent('{"status":["running"]}')
  const answer = await server.request('GET', `/containers/json?all=1&limit=2&size=1&since=a&before=b&filters=${filters}`)
  assert.equal((answer.json() as unknown[]).length, 1)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.deepEqual(asked, [{ all: true, limit: 2, size: true, filters: { status: ['running'], since: ['a'], before: ['b'] } }])
  assert.equal((await server.request('GET', '/containers/json?filters={"statsu":["x"]}')).status, 400)
  assert.equal((await server.request('GET', '/containers/json?limit=many')).status, 400)
})

test('inspect finds names with a leading slash and adds sizes when asked', async () => {
  await using server = await startServer({
    containers: { get: knowsContainer(fakeContainer()), usage: async () => ({ sizeRw: 5, sizeRootFs: 9 }), directories: () => undefined },
  })
  const answer = (await server.request('GET', '/containers//web/json?size=1')).json() as Record<string, unknown>
  assert.deepEqual([answer['Name'], answer['SizeRw'], answer['SizeRootFs']], ['/web', 5, 9])
  const missing = await server.request('GET', '/containers/nope/json')
  assert.deepEqual([missing.status, missing.json()], [404, { message: 'No such container: nope' }])
})

test('update takes what was sent, and any limit that is not positive for none', async () => {
  const requests: UpdateRequest[] = []
  await using server = await startServer({
    containers: {
      update: async (_ref, request) => {
        requests.push(request)
        return { warnings: [] }
      },
    },
  })
  const answer = await server.request('POST', '/containers/web/update', {
    body: { Memory: 5, PidsLimit: -5, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
  })
  assert.deepEqual(answer.json(), { Warnings: null })
  await server.request('POST', '/v1.39/containers/web/update', { body: { PidsLimit: 5, RestartPolicy: {} } })
  assert.deepEqual(requests, [
    { resources: { memory: 5, pidsLimit: 0 }, restartPolicy: { name: 'on-failure', maximumRetryCount: 3 } },
    { resources: {} },
  ])
})

test('commit keeps of the config what an image has', async () => {
  const requests: CommitRequest[] = []
  await using server = await startServer({
    containers: {
      commit: async (_ref, request) => {
        requests.push(request)
        return { id: IMAGE_ID }
      },
    },
  })
  const answer = await server.request('POST', '/commit?container=web&repo=a&tag=b&pause=0&changes=CMD%20x&changes=USER%20y&author=me', {
    body: { Cmd: ['sh'], Hostname: 'h', Env: null, ExposedPorts: { '80/tcp': {} } },
  })
  assert.deepEqual([answer.status, answer.json()], [201, { Id: IMAGE_ID }])
  await server.request('POST', '/commit?container=web')
  const [first, second] = requests
  assert.deepEqual(first, {
    repo: 'a',
    tag: 'b',
    comment: '',
    author: 'me',
    pause: false,
    changes: ['CMD x', 'USER y'],
    config: { Cmd: ['sh'], ExposedPorts: { '80/tcp': {} } },
  })
  assert.equal(second?.config, undefined)
  assert.equal(second?.pause, true)
})

test('the small operations reach their methods', async () => {
  const calls: unknown[] = []
  const record =
    (name: string) =>
    async (...args: unknown[]): Promise<void> =>
      void calls.push([name, ...args])
  await using server = await startServer({
    containers: {
      pause: record('pause'),
      unpause: record('unpause'),
      rename: record('rename'),
      resize: record('resize'),
      remove: record('remove'),
      changes: async () => [
        { path: '/a', kind: 'modified' },
        { path: '/b', kind: 'added' },
        { path: '/c', kind: 'deleted' },
      ],
      top: async (_ref, args) => ({ titles: ['PID'], processes: [[args]] }),
      prune: async (filters) => {
        calls.push(['prune', filters])
        return { deleted: [], reclaimed: 0 }
      },
    },
  })
  const statusOf = async (method: string, path: string): Promise<number> => (await server.request(method, path)).status
  assert.equal(await statusOf('POST', '/containers/web/pause'), 204)
  assert.equal(await statusOf('POST', '/containers/web/unpause'), 204)
  assert.equal(await statusOf('POST', '/containers/web/rename?name=new'), 204)
  assert.equal(await statusOf('POST', '/containers/web/resize?h=24&w=80'), 200)
  assert.equal(await statusOf('POST', '/containers/web/resize?h=24'), 400)
  assert.equal(await statusOf('DELETE', '/containers/web?force=1&v=true'), 204)
  assert.equal(await statusOf('POST', '/containers/prune?filters={"until":["1.5"],"label":["a"],"label!":["b=c"]}'), 200)
  assert.deepEqual(calls, [
    ['pause', 'web'],
    ['unpause', 'web'],
    ['rename', 'web', 'new'],
    ['resize', 'web', 24, 80],
    ['remove', 'web', { force: true, volumes: true, link: false }],
    ['prune', { until: 1500, label: ['a'], labelNot: ['b=c'] }],
  ])
  assert.deepEqual((await server.request('GET', '/containers/web/changes')).json(), [
    { Path: '/a', Kind: 0 },
    { Path: '/b', Kind: 1 },
    { Path: '/c', Kind: 2 },
  ])
  assert.deepEqual((await server.request('GET', '/containers/web/top?ps_args=aux')).json(), { Titles: ['PID'], Processes: [['aux']] })
})
