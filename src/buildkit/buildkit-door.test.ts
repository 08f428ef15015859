import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { BuildEvent, BuildResult, Edge, Vertex } from '#build'
import { conflict, invalidArgument, notFound } from '#errors'
import { Code, ConnectError, control, createClient, createGrpcServer, metadataHeaders, secrets, trace } from '#grpc'
import { digestOf, type Digest } from '#oci'
import { fakeBuilds } from './testing/fake-builds.ts'
import { doorOpener } from './testing/open-door.ts'

const open = doorOpener()

const image: Edge = {
  vertex: {
    id: digestOf(Buffer.from('base')),
    op: { kind: 'image', reference: 'docker.io/library/alpine:3', platform: { os: 'linux', architecture: 'amd64' }, resolveMode: 'local' },
    inputs: [],
    meta: { name: 'FROM alpine' },
  },
  output: 0,
}

function result(...platforms: string[]): BuildResult {
  return {
    images: platforms.map((id) => {
      const [os = '', architecture = ''] = id.split('/')
      return {
        id,
        platform: { os, architecture },
        edge: image,
        config: { os, architecture, rootfs: { type: 'layers', diff_ids: [] }, config: { Cmd: ['sh'] } },
        steps: [{ text: 'FROM alpine', vertex: undefined }],
      }
    }),
    multiPlatform: platforms.length > 1,
    metadata: { note: new Uint8Array([1, 2]) },
  }
}

const ofBuild = { headers: metadataHeaders({ 'buildkit-controlapi-buildid': 'b1' }) }

test('a client drives a build from Solve over Return to the exporters answer', async () => {
  const fake = fakeBuilds({ solve: () => result('linux/amd64'), answer: { 'containerimage.digest': 'sha256:1' } })
  const client = open(fake)
  const exporters = [{ type: 'moby', attrs: { name: 'app' } }, { type: 'local' }]
  const ending = client.control.solve({
    ref: 'b1',
    exporters,
    entitlements: ['network.host', 'device=v.com/c=a'],
    cache: { importRefs: ['r'] },
  })
  assert.ok((await client.bridge.ping({}, ofBuild)).llbCaps.some(({ id, enabled }) => id === 'file.base' && enabled))
  const frontend = {
    frontend: 'dockerfile.v0',
    frontendOpt: { target: 'x' },
    allowResultReturn: true,
    allowResultArrayRef: true,
    evaluate: true,
  }
  const { result: solved } = await client.bridge.solve(frontend, ofBuild)
  assert.ok(solved?.result.case === 'ref')
  assert.deepEqual(JSON.parse(Buffer.from(solved.metadata['containerimage.config'] ?? []).toString()).config, { Cmd: ['sh'] })
  await client.bridge.return({ result: solved }, ofBuild)
  assert.deepEqual((await ending).exporterResponse, { 'containerimage.digest': 'sha256:1' })
  const [build] = fake.builds
  assert.deepEqual(build?.solved[0], { frontend: 'dockerfile.v0', options: { target: 'x' }, inputs: {}, evaluate: true })
  // What came back unchanged is the very thing that was given, steps and all.
  assert.deepEqual(build.finished[0]?.result, result('linux/amd64'))
  assert.deepEqual(
    build.finished[0].exports.map(({ type, id }) => [type, id]),
    [
      ['moby', '0'],
      ['local', '1'],
    ],
  )
  assert.deepEqual([...build.options.entitlements], ['network.host', 'device=v.com/c=a'])
  assert.deepEqual(build.options.cacheImports, [{ type: 'registry', attributes: { ref: 'r' } }])
})

test('results of several platforms keep their order, and a config that the client changed', async () => {
  const fake = fakeBuilds({ solve: () => result('linux/arm64', 'linux/amd64') })
  const client = open(fake)
  const ending = client.control.solve({ ref: 'b1' })
  const { result: solved } = await client.bridge.solve(
    { frontend: 'dockerfile.v0', allowResultReturn: true, allowResultArrayRef: true },
    ofBuild,
  )
  assert.ok(solved?.result.case === 'refs')
  const changed = JSON.parse(Buffer.from(solved.metadata['containerimage.config/linux/amd64'] ?? []).toString()) as object
  solved.metadata['containerimage.config/linux/amd64'] = Buffer.from(JSON.stringify({ ...changed, author: 'me' }))
  await client.bridge.return({ result: solved }, ofBuild)
  await ending
  const back = fake.builds[0]?.finished[0]?.result
  assert.deepEqual(
    back?.images.map(({ id, config }) => [id, config?.author]),
    [
      ['linux/arm64', undefined],
      ['linux/amd64', 'me'],
    ],
  )
  assert.equal(back.multiPlatform, true)
  assert.deepEqual(Object.keys(back.metadata), ['note'])
})

test('a result is looked into by its reference, and no other', async () => {
  const client = open(fakeBuilds({ solve: () => result('linux/amd64') }))
  const ending = client.control.solve({ ref: 'b1' })
  const { result: solved } = await client.bridge.solve(
    { frontend: 'dockerfile.v0', allowResultReturn: true, allowResultArrayRef: true },
    ofBuild,
  )
  assert.ok(solved?.result.case === 'ref')
  const ref = solved.result.value.id
  assert.equal(Buffer.from((await client.bridge.readFile({ ref, filePath: '/etc/os-release' }, ofBuild)).data).toString(), 'NAME=Starter')
  await assert.rejects(client.bridge.readFile({ ref: 'made-up', filePath: '/etc/os-release' }, ofBuild), /unknown reference made-up/)
  await client.bridge.return({ result: {} }, ofBuild)
  await ending
})

test('an error that the client returns is the error of the build, with its details', async () => {
  const fake = fakeBuilds()
  const client = open(fake)
  const ending = client.control.solve({ ref: 'b1' }).catch((error: unknown) => error)
  const detail = { typeUrl: 'github.com/moby/buildkit/errdefs.Vertex+json', value: Buffer.from('{"digest":"sha256:1"}') }
  await client.bridge.return({ error: { code: 2, message: 'step failed', details: [detail] } }, ofBuild)
  const failure = await ending
  assert.ok(failure instanceof ConnectError)
  assert.deepEqual([failure.rawMessage, failure.code], ['step failed', Code.Unknown])
  assert.deepEqual(
    failure.details.map((found) => 'type' in found && found.type),
    ['errdefs.Vertex+json'],
  )
  assert.equal(fake.builds[0]?.ended, 1)
})

test('errors of steps tell where they are in the Dockerfile, and by which id they can be entered', async () => {
  const { vertex } = image
  const exec = {
    ...vertex,
    op: { kind: 'exec', args: ['make'], env: [], cwd: '/', user: '', mounts: [{ target: '/' }] },
  } as unknown as Vertex
  const facts = {
    source: { file: { name: 'Dockerfile', text: 'FROM a\nRUN make\n' }, start: 2, end: 2 },
    vertex: vertex.id,
    step: { vertex: exec, inputs: [], exitCode: 2 },
  }
  const failed = Object.assign(notFound('make failed'), { name: 'BuildError' }, facts)
  const client = open(
    fakeBuilds({
      solve() {
        throw failed
      },
    }),
  )
  const ending = client.control.solve({ ref: 'b1' }).catch(() => {})
  const failure = await client.bridge.solve({ frontend: 'dockerfile.v0' }, ofBuild).catch((error: unknown) => error)
  assert.ok(failure instanceof ConnectError)
  // No code: clients would put its name before the text.
  assert.equal(failure.code, Code.Unknown)
  const details = Object.fromEntries(
    failure.details.flatMap((detail) => ('type' in detail ? [[detail.type, JSON.parse(Buffer.from(detail.value).toString())]] : [])),
  )
  assert.deepEqual(details['errdefs.Source+json'], {
    info: { filename: 'Dockerfile', data: Buffer.from('FROM a\nRUN make\n').toString('base64'), language: 'Dockerfile' },
    ranges: [{ start: { line: 2 }, end: { line: 2 } }],
  })
  // By protocol buffers' rules for JSON: buildx drops it for one name that it does not know.
  assert.deepEqual(details['errdefs.Solve+json'], {
    mountIDs: [`gantry-step:${vertex.id}`],
    op: { exec: { meta: { args: ['make'], env: [], cwd: '/', user: '' }, mounts: [{ dest: '/' }] } },
  })
  await client.bridge.return({ error: { code: 2, message: 'x' } }, ofBuild)
  await ending
})

test('Status tells events in messages, and ends with the build', async () => {
  const id = 'sha256:1' as Digest
  const events: BuildEvent[] = [
    { kind: 'vertex', id, inputs: [], name: '[1/1] RUN', cached: false, started: 1_600_000_000_123.5 },
    { kind: 'log', vertex: id, stream: 2, data: Buffer.alloc(2 << 20, 'x'), timestamp: 1 },
    { kind: 'status', vertex: id, id: 'layer', name: 'layer', current: 1, total: 2, timestamp: 1 },
    { kind: 'warning', vertex: id, level: 1, short: 'odd', detail: ['more'], url: '' },
  ]
  const messages: control.StatusResponse[] = []
  for await (const message of open(fakeBuilds({ events })).control.status({ ref: 'b1' })) messages.push(message)
  // Output makes messages large: what comes after it goes into the next one.
  assert.equal(messages.length, 2)
  const { seconds, nanos } = messages[0]?.vertexes[0]?.started ?? {}
  assert.deepEqual([seconds, nanos], [1_600_000_000n, 123_500_000])
  assert.equal(messages[0]?.logs[0]?.msg.length, 2 << 20)
  assert.equal(messages[1]?.statuses[0]?.total, 2n)
  assert.equal(Buffer.from(messages[1]?.warnings[0]?.short ?? []).toString(), 'odd')
})

test('a build that is refused ends the calls that wait for it at once', { timeout: 60_000 }, async () => {
  const client = open(fakeBuilds({ refuse: 'granting entitlement security.insecure is not allowed' }))
  const status = (async () => {
    for await (const _ of client.control.status({ ref: 'b1' }));
  })()
  const ping = client.bridge.ping({}, ofBuild)
  await Promise.all([
    assert.rejects(client.control.solve({ ref: 'b1' }), /granting entitlement security\.insecure is not allowed/),
    assert.rejects(ping, { code: Code.NotFound, rawMessage: 'no such job b1' }),
    status,
  ])
})

test('a name that was refused may be used again, and one in use is not taken from its build', { timeout: 60_000 }, async () => {
  const fake = fakeBuilds({ solve: () => result('linux/amd64') })
  const start = fake.service.start.bind(fake.service)
  const refusals = [invalidArgument('not this time'), undefined, conflict('build b1 is already running')]
  fake.service.start = (options) => {
    const refusal = refusals.shift()
    if (refusal !== undefined) throw refusal
    return start(options)
  }
  const client = open(fake)
  await assert.rejects(client.control.solve({ ref: 'b1' }), /not this time/)
  const ending = client.control.solve({ ref: 'b1' })
  // It waits for the build: that one of the same name was refused before is forgotten.
  await client.bridge.ping({}, ofBuild)
  const following = new AbortController()
  const status = (async () => {
    for await (const _ of client.control.status({ ref: 'b1' }, { signal: following.signal }));
  })()
  await assert.rejects(client.control.solve({ ref: 'b1' }), /already running/)
  assert.equal(await Promise.race([status.then(() => 'ended'), setTimeout(50, 'goes on')]), 'goes on')
  following.abort()
  await assert.rejects(status)
  await client.bridge.return({ result: {} }, ofBuild)
  await ending
})

test('what is not supported is refused by name', async () => {
  const client = open(fakeBuilds())
  await assert.rejects(client.control.solve({ ref: 'b', sourcePolicySession: 's' }), /source policies that the client judges by itself/)
  await assert.rejects(client.control.solve({ ref: 'b', enableSessionExporter: true }), /exporters that the client chooses at the end/)
  for (const name of ['sys.admin', 'network.host=x'])
    await assert.rejects(client.control.solve({ ref: 'b', entitlements: [name] }), new RegExp(`unknown entitlement ${name}`))
  await assert.rejects(client.control.solve({ ref: 'b', session: 'nobody' }, { timeoutMs: 50 }), { code: Code.DeadlineExceeded })
})

test('history tells of a build that has ended, and forgets it when asked to', async () => {
  const step = { kind: 'vertex', inputs: [], name: 'x', completed: 2 } as const
  const events: BuildEvent[] = [
    { ...step, id: 'sha256:1' as Digest, cached: true },
    { ...step, id: 'sha256:2' as Digest, cached: false },
  ]
  const client = open(fakeBuilds({ solve: () => result('linux/amd64'), answer: { key: 'value' }, events }))
  await client.control.solve({ ref: 'b1', frontend: 'dockerfile.v0', frontendAttrs: { target: 'x' } })
  await client.control.solve({ ref: 'probe', frontend: 'dockerfile.v0', internal: true })
  const list = async (): Promise<unknown[]> => {
    const seen: unknown[] = []
    for await (const { type, record } of client.control.listenBuildHistory({ earlyExit: true })) {
      const { ref, frontendAttrs, exporterResponse, numTotalSteps, numCachedSteps } = record ?? {}
      seen.push([type, ref, frontendAttrs, exporterResponse, numTotalSteps, numCachedSteps])
    }
    return seen
  }
  assert.deepEqual(await list(), [[control.BuildHistoryEventType.COMPLETE, 'b1', { target: 'x' }, { key: 'value' }, 2, 1]])
  await client.control.updateBuildHistory({ ref: 'b1', delete: true })
  assert.deepEqual(await list(), [])
})

test('a session inside of a call serves builds like one on its own connection', async (t) => {
  const fake = fakeBuilds({ solve: () => result('linux/amd64') })
  const client = open(fake)
  const [near, far] = duplexPair()
  const server = createGrpcServer({
    routes: (router) => router.service(secrets.Secrets, { getSecret: () => ({ data: Buffer.from('42') }) }),
  })
  server.serve(far)
  t.after(() => server.close())
  async function* outgoing(): AsyncGenerator<{ data: Uint8Array }> {
    for await (const data of near as AsyncIterable<Buffer>) yield { data }
  }
  const headers = metadataHeaders({ 'x-docker-expose-session-uuid': 's1', 'x-docker-expose-session-sharedkey': 'k' })
  const tunnel = (async () => {
    for await (const { data } of client.control.session(outgoing(), { headers })) near.write(data)
  })()
  await client.control.solve({ ref: 'b1', frontend: 'dockerfile.v0', session: 's1' })
  const session = fake.builds[0]?.options.session
  assert.deepEqual([session?.id, session?.sharedKey], ['s1', 'k'])
  assert.equal(Buffer.from((await session?.secret('x')) ?? []).toString(), '42')
  assert.equal(fake.builds[0]?.options.sessionOf?.('s1'), session)
  near.end()
  await tunnel.catch(() => {})
})

test('spans of clients are taken, and lead nowhere', async () => {
  await createClient(trace.TraceService, open(fakeBuilds()).transport).export({})
})
