import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { vertex, type BuildWarning, type DrivenBuild } from '#build'
import { create, gateway, type HandlerContext } from '#grpc'
import { digestOf } from '#oci'
import { ClientBuild } from '../client-build.ts'
import { ResultRefs } from '../llb/result-refs.ts'
import { bridgeService } from './bridge.ts'
import type { ServiceContext } from './context.ts'

const PLATFORM = { os: 'linux', architecture: 'amd64' }
const EDGE = { vertex: vertex({ kind: 'merge' }, [], { name: '' }), output: 0 }
const RESULT = { images: [{ id: 'linux/amd64', platform: PLATFORM, edge: EDGE }], multiPlatform: false, metadata: {} }
const CALL = {} as HandlerContext

function bridgeOf(build: Partial<DrivenBuild>): { client: ClientBuild; bridge: ReturnType<typeof bridgeService> } {
  const client = new ClientBuild({ id: 'b', signal: new AbortController().signal, ...build } as DrivenBuild, 's', {})
  const context = { refs: new ResultRefs(vertex), platform: PLATFORM } as ServiceContext
  return { client, bridge: bridgeService(context, () => Promise.resolve(client)) }
}

describe('bridgeService', () => {
  it('gives nothing out to a client that has ended while it was solved, as nobody would take it back', async () => {
    const solved = Promise.withResolvers<typeof RESULT>()
    const { client, bridge } = bridgeOf({ solve: () => solved.promise })
    const solving = bridge.solve?.(create(gateway.SolveRequestSchema, { allowResultReturn: true }), CALL)
    await client[Symbol.asyncDispose]()
    solved.resolve(RESULT)
    await assert.rejects(Promise.resolve(solving), { code: 'CANCELLED' })
    assert.deepEqual(client.given, [])
  })

  it('keeps no more of what a client says than a build can need', async () => {
    const warnings: BuildWarning[] = []
    const { client, bridge } = bridgeOf({ warn: (warning) => void warnings.push(warning) })
    const warn = async (size: number): Promise<void> => {
      const info = { filename: 'f', data: Buffer.alloc(size) }
      await bridge.warn?.(create(gateway.WarnRequestSchema, { digest: digestOf('v'), info }), CALL)
    }
    client.keep(255 << 20)
    await warn(1000)
    await assert.rejects(warn(1 << 20), { code: 'RESOURCE_EXHAUSTED', message: 'more than 268435456 bytes were asked of build b' })
    assert.equal(warnings.length, 1)
  })
})
