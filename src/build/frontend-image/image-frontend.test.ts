import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { BuildResult, DebugContainerRequest, DebugProcess, FrontendHost } from '../types.ts'
import { createImageFrontend } from './image-frontend.ts'
import type { ReturnedError } from './types.ts'

const RESULT: BuildResult = { images: [], multiPlatform: false, metadata: { made: Buffer.from('by a program') } }
const ERROR: ReturnedError = { code: 'NOT_FOUND', message: 'told by a program' }

interface Trial {
  /** What the program hands over, and how it ends. */
  returned?: BuildResult | ReturnedError
  exitCode?: number
  options?: Record<string, string>
}

interface Tried {
  opened: DebugContainerRequest[]
  ran: DebugProcess[]
  /** What was given back, in order. */
  released: string[]
  result: Promise<BuildResult>
}

function run({ returned, exitCode = 0, options = {} }: Trial, signal: AbortSignal = new AbortController().signal): Tried {
  const tried: Omit<Tried, 'result'> = { opened: [], ran: [], released: [] }
  const build = {
    async openContainer(request: DebugContainerRequest) {
      tried.opened.push(request)
      return {
        async run(process: DebugProcess) {
          tried.ran.push(process)
          const [program, stream] = duplexPair()
          program.end()
          return { stream, exited: Promise.resolve(exitCode), kill: async () => {}, resize: async () => {} }
        },
        [Symbol.asyncDispose]: async () => void tried.released.push('container'),
      }
    },
  } as unknown as FrontendHost['build']
  const host = {
    session: { id: 'session' },
    signal,
    hostPlatform: { os: 'linux', architecture: 'amd64' },
    resolveImage: async ({ reference }: { reference: string }) => ({
      reference,
      digest: digestOf(reference),
      config: { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers' as const, diff_ids: [] }, config: { Entrypoint: ['/front'] } },
    }),
    build,
    show: () => ({ log() {}, done() {}, failed() {} }),
  } as unknown as FrontendHost
  const frontend = createImageFrontend(async () => ({
    environment: () => ['BUILDKIT_WORKERS=[]'],
    serve(connection) {
      connection.resume().once('end', () => connection.destroy())
      return { returned: () => returned, [Symbol.asyncDispose]: async () => void tried.released.push('protocol') }
    },
  }))
  const request = { frontend: 'gateway.v0', options: { source: 'my/front', ...options }, inputs: {} }
  return { ...tried, result: frontend(request, host) }
}

describe('createImageFrontend', () => {
  it('runs the image’s program in a container, and gives what it hands over', async () => {
    const { result, opened, ran, released } = run({ returned: RESULT, options: { memory: '64m', 'cgroup-parent': 'slow' } })
    assert.equal(await result, RESULT)
    assert.deepEqual(ran[0]?.args, ['/front'])
    assert.deepEqual(ran[0]?.env.slice(-2), ['BUILDKIT_SESSION_ID=session', 'BUILDKIT_WORKERS=[]'])
    const [{ mounts, limits } = {}] = opened
    const op = mounts?.[0]?.edge?.vertex.op
    assert.equal(op?.kind === 'image' && op.reference, 'docker.io/my/front:latest')
    assert.deepEqual([limits?.limits.memory, limits?.cgroupParent], [64 << 20, 'slow'])
    assert.deepEqual(released, ['protocol', 'container'])
  })

  it('counts an error handed over most, then the program’s end, then a result', async () => {
    const table: [Trial, object][] = [
      [
        { returned: ERROR, exitCode: 2 },
        { code: 'NOT_FOUND', message: 'told by a program' },
      ],
      [{ returned: RESULT, exitCode: 2 }, { message: 'frontend my/front: exit code: 2' }],
      [{ exitCode: 2 }, { message: 'frontend my/front: exit code: 2' }],
      [{}, { message: 'frontend my/front: no result for incomplete build' }],
    ]
    for (const [trial, failure] of table) {
      const { result, released } = run(trial)
      await assert.rejects(result, failure)
      assert.deepEqual(released, ['protocol', 'container'])
    }
  })

  it('is cancelled with its build, whatever the program says to that', async () => {
    const { result } = run({ returned: ERROR }, AbortSignal.abort(new Error('context canceled')))
    await assert.rejects(result, { message: 'context canceled' })
  })

  it('runs nothing for limits that are none', async () => {
    const { result, opened } = run({ options: { memory: 'much' } })
    await assert.rejects(result, { message: /failed to parse memory/ })
    assert.deepEqual(opened, [])
  })
})
