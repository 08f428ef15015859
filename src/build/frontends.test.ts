import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Frontend } from './build-deps.ts'
import { Frontends } from './frontends.ts'
import { SCRATCH } from './graph/ref.ts'
import type { Edge } from './graph/types.ts'
import { vertex } from './graph/digest.ts'
import type { BuildResult, DrivenBuild, FrontendRequest } from './types.ts'

const HOST = { os: 'linux', architecture: 'amd64' }
const EDGE: Edge = { vertex: vertex({ kind: 'merge' }, [], { name: '' }), output: 0 }

function ask(frontend: string, facts: Partial<FrontendRequest & { evaluate: boolean }> = {}): FrontendRequest & { evaluate: boolean } {
  return { frontend, options: {}, inputs: {}, evaluate: false, ...facts }
}

function frontendsOf(frontends: Record<string, Frontend>): { frontends: Frontends; solved: Edge[] } {
  const solved: Edge[] = []
  const deps = {
    frontends,
    hostPlatform: HOST,
    host: {} as ConstructorParameters<typeof Frontends>[0]['host'],
    build: () => ({ id: 'b' }) as DrivenBuild,
    async solveAll(edges: readonly Edge[]) {
      solved.push(...edges)
      return edges.map(() => SCRATCH)
    },
  }
  return { frontends: new Frontends(deps), solved }
}

const resultOf = (id: string): BuildResult => ({ images: [{ id, platform: HOST, edge: EDGE }], multiPlatform: false, metadata: {} })

describe('Frontends', () => {
  it('takes a definition for its own result, and solves what is wanted now', async () => {
    const { frontends, solved } = frontendsOf({})
    const result = await frontends.solve(ask('', { definition: EDGE }))
    assert.deepEqual(result.images, [{ id: 'linux/amd64', platform: HOST, edge: EDGE }])
    assert.deepEqual(solved, [])
    await frontends.solve(ask('', { definition: EDGE, evaluate: true }))
    assert.deepEqual(solved, [EDGE])
    assert.deepEqual((await frontends.solve(ask(''))).images, [])
    assert.equal(frontends.exported, undefined)
    await assert.rejects(frontends.solve(ask('other')), { message: 'frontend other not found' })
  })

  it('remembers the frontend of the client, or what that one has given way to', async () => {
    const { frontends } = frontendsOf({
      outer: async (_, { build }) => await build.solve(ask('inner')),
      inner: async () => resultOf('inner'),
      polite: async (request, host) => await host.forward({ ...request, frontend: 'outer', options: { cmdline: 'x' } }),
    })
    assert.equal((await frontends.solve(ask('outer'))).images[0]?.id, 'inner')
    assert.equal(frontends.exported?.frontend, 'outer')
    assert.equal((await frontends.solve(ask('polite'))).images[0]?.id, 'inner')
    assert.deepEqual([frontends.exported?.frontend, frontends.exported?.options], ['outer', { cmdline: 'x' }])
  })

  it('ends one that runs itself', async () => {
    let runs = 0
    const { frontends } = frontendsOf({
      async endless(_, { build }) {
        runs++
        return await build.solve(ask('endless'))
      },
    })
    await assert.rejects(frontends.solve(ask('endless')), { message: 'frontends run frontends more than 8 deep' })
    assert.equal(runs, 9)
  })

  it('ends one that runs itself over and over', async () => {
    let [running, most] = [0, 0]
    const { frontends } = frontendsOf({
      async spreading(_, { build }) {
        most = Math.max(most, ++running)
        try {
          // As a container must be made first.
          await Promise.resolve()
          const [first] = await Promise.all(Array.from({ length: 3 }, () => build.solve(ask('spreading'))))
          return first ?? resultOf('none')
        } finally {
          running--
        }
      },
    })
    await assert.rejects(frontends.solve(ask('spreading')), { message: 'more than 100 frontends run in one build' })
    await frontends.settled()
    assert.deepEqual([most, running], [100, 0])
  })

  it('is settled when none runs any more, however it ended', async () => {
    const ending = Promise.withResolvers<BuildResult>()
    const { frontends } = frontendsOf({ slow: () => ending.promise })
    const failed = assert.rejects(frontends.solve(ask('slow')), { message: 'late' })
    let settled = false
    const settling = frontends.settled().then(() => (settled = true))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(settled, false)
    ending.reject(new Error('late'))
    await Promise.all([failed, settling])
  })
})
