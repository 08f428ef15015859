import assert from 'node:assert/strict'
import { once } from 'node:events'
import { duplexPair, type Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import type { DrivenBuild, ServedFrontend } from '#build'
import { connectGrpc, createClient, fromBinary, gateway, status, type Client, type ConnectError, type GrpcConnection } from '#grpc'
import { digestOf } from '#oci'
import { fakeBuilds } from '../testing/fake-builds.ts'
import { doorOpener } from '../testing/open-door.ts'

const PLATFORM = { os: 'linux', architecture: 'amd64' }
const EDGE = { vertex: { id: digestOf('vertex'), op: { kind: 'merge' }, inputs: [], meta: { name: 'v' } }, output: 0 } as const
const RESULT = { images: [{ id: 'linux/amd64', platform: PLATFORM, edge: EDGE }], multiPlatform: false, metadata: {} }

const open = doorOpener()

interface Program {
  bridge: Client<typeof gateway.LLBBridge>
  connection: GrpcConnection
  theirs: Duplex
  served: ServedFrontend
}

/** A frontend that speaks with a build. */
function program(build: Partial<DrivenBuild>, inputs: Record<string, typeof EDGE> = {}): Program {
  const { door } = open(fakeBuilds())
  const [ours, theirs] = duplexPair()
  const driven = { id: 'b', signal: new AbortController().signal, ...build } as DrivenBuild
  const served = door.frontendProtocol.serve(theirs, { build: driven, session: 's', inputs })
  const connection = connectGrpc(ours)
  return { bridge: createClient(gateway.LLBBridge, connection.transport), connection, theirs, served }
}

describe('createFrontendProtocol', () => {
  it('tells of the builder as Go’s structs have it', () => {
    const [workers = '', product] = open(fakeBuilds()).door.frontendProtocol.environment()
    const [first] = JSON.parse(workers.slice('BUILDKIT_WORKERS='.length)) as Record<string, unknown>[]
    assert.equal(first?.['id'], 'worker')
    assert.deepEqual(first?.['platforms'], [{ os: 'linux', architecture: 'amd64', variant: '' }])
    assert.deepEqual(first?.['gcPolicy'], [])
    assert.equal(product, 'BUILDKIT_EXPORTEDPRODUCT=gantry')
  })

  it('needs no name of a build, and takes a result that it gave', async () => {
    const asked: unknown[] = []
    const { bridge, served, connection } = program({
      async solve(request) {
        asked.push(request.frontend)
        return RESULT
      },
    })
    await bridge.ping({})
    const { result } = await bridge.solve({ frontend: 'dockerfile.v0', allowResultReturn: true, allowResultArrayRef: true })
    assert.equal(served.returned(), undefined)
    await bridge.return(result === undefined ? {} : { result })
    assert.deepEqual([asked, served.returned()], [['dockerfile.v0'], RESULT])
    await assert.rejects(bridge.return({ result: {} }), { rawMessage: 'gateway result is already set' })
    connection.close()
    await served[Symbol.asyncDispose]()
  })

  it('gives inputs as definitions, which come back as what they were', async () => {
    let defined: unknown
    const { bridge, served, connection } = program(
      {
        async solve(request) {
          defined = request.definition
          return RESULT
        },
      },
      { base: EDGE },
    )
    const { definitions } = await bridge.inputs({})
    const { base } = definitions
    assert.ok(base)
    await bridge.solve({ definition: base })
    assert.equal(defined, EDGE)
    connection.close()
    await served[Symbol.asyncDispose]()
  })

  it('reads an error with all that the frontend was told of it', async () => {
    const source = { file: { name: 'Dockerfile', text: 'FROM a\nRUN b\n' }, start: 2, end: 2 }
    const vertex = { ...EDGE.vertex, op: { kind: 'exec', args: ['b'], env: [], cwd: '/', user: '', mounts: [{ target: '/' }] } }
    const step = { vertex, inputs: [], exitCode: 1 }
    const { bridge, served, connection } = program({
      solve: () => Promise.reject(Object.assign(new Error('b failed'), { name: 'BuildError', source, vertex: vertex.id, step })),
    })
    const told = await bridge.solve({ frontend: 'dockerfile.v0' }).catch((error: unknown) => error as ConnectError)
    assert.ok(told instanceof Error)
    // As Go's clients send it back: the types of details as they came.
    const error = fromBinary(status.StatusSchema, Buffer.from(told.metadata.get('grpc-status-details-bin') ?? '', 'base64'))
    await bridge.return({ error })
    const returned = served.returned()
    assert.ok(returned !== undefined && 'message' in returned)
    const { code, message, source: place, vertex: id, step: failed } = returned
    assert.deepEqual([code, message, place, id, failed], ['INTERNAL', 'b failed', source, vertex.id, step])
    connection.close()
    await served[Symbol.asyncDispose]()
  })

  it('cuts the connection when it ends', async () => {
    const { bridge, served, connection, theirs } = program({})
    await bridge.ping({})
    await served[Symbol.asyncDispose]()
    assert.equal(theirs.destroyed, true)
    connection.close()
  })

  it('cuts the connection when nobody understands what comes', { timeout: 60_000 }, async () => {
    const { door } = open(fakeBuilds())
    const [ours, theirs] = duplexPair()
    const build = { id: 'b', signal: new AbortController().signal } as DrivenBuild
    await using _served = door.frontendProtocol.serve(theirs, { build, session: 's', inputs: {} })
    const closed = once(theirs, 'close')
    ours.resume().write('this is no HTTP/2, whatever it may look like')
    await closed
  })
})
