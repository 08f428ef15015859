import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { notFound } from '#errors'
import type { Vertex } from './graph/types.ts'
import { createBuildService } from './service.ts'
import { copy, createFakeParts, edge, image, importedFrom, run } from './testing/fake-parts.ts'
import { letMeet, start } from './testing/start-build.ts'
import type { ImportedCache } from './types.ts'

describe('an imported cache', () => {
  /** Builds and exports on one machine; then another build on a new one, which imports. */
  async function elsewhere(
    made: Vertex,
    wanted: Vertex,
    { mode = 'max', ...cache }: { mode?: 'min' | 'max' } & Partial<ImportedCache> = {},
  ): Promise<{ content: string; ran: string[] }> {
    const here = createFakeParts()
    const exporting = createBuildService(here.deps)
    const own = start(exporting)
    const result = await own.solve({ frontend: '', options: {}, inputs: {}, definition: edge(made), evaluate: false })
    await own.finish(result, [{ type: 'moby', attributes: {}, id: '' }], [])
    await exporting.close()
    const there = createFakeParts()
    const importing = createBuildService({
      ...there.deps,
      caches: { ...there.deps.caches, open: async () => ({ ...importedFrom(here, there, mode), ...cache }) },
    })
    const second = start(importing, { cacheImports: [{ type: 'registry', attributes: {} }] })
    const ref = await second.evaluate(edge(wanted))
    await second.end()
    await importing.close()
    return { content: there.contentOf(ref), ran: there.ran }
  }

  it('gives the results of another machine, and only what is needed', async () => {
    const target = run(run(image('a'), ['one']), ['two'])
    assert.deepEqual(await elsewhere(target, target), { content: 'a+one+two', ran: ['fetch layers'] })
  })

  it('is used half way', async () => {
    const base = run(image('a'), ['one'])
    assert.deepEqual(await elsewhere(run(base, ['two']), run(base, ['three'])), {
      content: 'a+one+three',
      ran: ['fetch layers', 'RUN three'],
    })
  })

  it('knows a copied stage by its definition, without fetching the stage', async () => {
    const target = run(copy(image('base'), run(image('gcc'), ['compile'])), ['install'])
    assert.deepEqual(await elsewhere(target, target), { content: 'base|gcc+compile+install', ran: ['fetch layers'] })
  })

  it('may lack the stage that is copied from', async () => {
    const target = run(copy(image('base'), run(image('gcc'), ['compile'])), ['install'])
    assert.deepEqual(await elsewhere(target, target, { mode: 'min' }), { content: 'base|gcc+compile+install', ran: ['fetch layers'] })
  })

  it('that has nothing keeps no stages from running at the same time', async () => {
    const parts = createFakeParts()
    const service = createBuildService({
      ...parts.deps,
      caches: { ...parts.deps.caches, open: async () => importedFrom(parts, parts, 'max') },
    })
    letMeet(parts, 'left', 'right')
    const own = start(service, { cacheImports: [{ type: 'registry', attributes: {} }] })
    const target = copy(copy(image('a'), run(image('a'), ['left'])), run(image('a'), ['right']))
    assert.equal(parts.contentOf(await own.evaluate(edge(target))), 'a|met|met')
    await own.end()
    await service.close()
  })

  it('that has lost its layers is passed over, step by step', async () => {
    const target = run(run(image('a'), ['one']), ['two'])
    const lost = async (): Promise<never> => {
      throw notFound('blob not found')
    }
    assert.deepEqual(await elsewhere(target, target, { fetch: lost }), { content: 'a+one+two', ran: ['FROM a', 'RUN one', 'RUN two'] })
  })

  it('has the results of steps that were run without cache, too', async () => {
    const target = (ignoreCache: boolean): Vertex => run(run(image('a'), ['one'], { ignoreCache }), ['two'])
    assert.deepEqual((await elsewhere(target(true), target(false))).ran, ['fetch layers'])
  })

  it('is not asked for what lies on a step that was run anew', async () => {
    const target = (ignoreCache: boolean): Vertex => run(run(image('a'), ['one'], { ignoreCache }), ['two'])
    assert.deepEqual((await elsewhere(target(false), target(true))).ran, ['fetch layers', 'RUN one', 'RUN two'])
  })
})
