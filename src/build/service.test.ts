import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BuildError } from './build-error.ts'
import type { Vertex } from './graph/types.ts'
import { createBuildService } from './service.ts'
import { fakeSession } from './sources/testing/fake-step.ts'
import { context, copy, createFakeParts, edge, endsOf, image, run, type FakeParts } from './testing/fake-parts.ts'
import { build, eventsOf, letMeet, start } from './testing/start-build.ts'

describe('createBuildService', () => {
  it('runs what is asked for, inputs first, and finds it again', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const target = run(run(image('a'), ['one']), ['two'])
    assert.equal(await build(parts, service, target), 'a+one+two')
    assert.deepEqual(parts.ran, ['FROM a', 'RUN one', 'RUN two'])
    assert.equal(await build(parts, service, target), 'a+one+two')
    assert.equal(parts.ran.length, 3)
    await service.close()
  })

  it('finds results of before a restart, but none whose layers are gone', async () => {
    const parts = createFakeParts()
    const target = run(run(image('a'), ['one']), ['two'])
    const first = createBuildService(parts.deps)
    await build(parts, first, target)
    await first.close()
    const again = createFakeParts({ metadata: parts.metadata, chains: parts.chains })
    const second = createBuildService(again.deps)
    await build(again, second, target)
    assert.deepEqual(again.ran, [])
    await second.close()
    const [gone] = [...parts.chains].find(([, content]) => content === 'a+one+two') ?? []
    if (gone !== undefined) parts.chains.delete(gone)
    const last = createFakeParts({ metadata: parts.metadata, chains: parts.chains })
    const third = createBuildService(last.deps)
    await build(last, third, target)
    assert.deepEqual(last.ran, ['RUN two'])
    await third.close()
  })

  it('runs no vertex that nothing needs, and says of each what became of it', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const target = run(run(image('a'), ['one']), ['two'])
    await build(parts, service, target)
    const own = start(service)
    await own.evaluate(edge(target))
    await own.end()
    const events = await eventsOf(service, own.id)
    assert.deepEqual(endsOf(events), ['done FROM a', 'cached RUN one', 'cached RUN two'])
    const first = events.find((event) => event.kind === 'vertex' && event.name === 'RUN two')
    assert.equal(first?.kind === 'vertex' && first.started, undefined)
    await service.close()
  })

  it('knows a copied stage by its content: one that was built anew to the same changes nothing above', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    parts.programs.set('compile', () => 'binary')
    const final = (flags: string): Vertex => run(copy(image('base'), run(image('gcc'), ['compile', flags])), ['install'])
    assert.equal(await build(parts, service, final('-O1')), 'base|binary+install')
    parts.ran.length = 0
    assert.equal(await build(parts, service, final('-O2')), 'base|binary+install')
    assert.deepEqual(parts.ran, ['RUN compile -O2'])
    parts.ran.length = 0
    // By now the new definition leads there at once.
    await build(parts, service, final('-O2'))
    assert.deepEqual(parts.ran, [])
    await service.close()
  })

  it('knows the context by its content', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const target = run(copy(image('a'), context()), ['make'])
    await build(parts, service, target)
    parts.ran.length = 0
    await build(parts, service, target)
    assert.deepEqual(parts.ran, ['load context'])
    parts.context = 'other files'
    assert.equal(await build(parts, service, target), 'a|other files+make')
    assert.deepEqual(parts.ran, ['load context', 'load context', 'COPY /', 'RUN make'])
    await service.close()
  })

  it('runs with ignoreCache anew, and all above it, once', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    let times = 0
    parts.programs.set('date', (_, [base]) => `${base}+date${times++}`)
    const target = (ignoreCache: boolean): Vertex => run(run(image('a'), ['date'], { ignoreCache }), ['two'])
    assert.equal(await build(parts, service, target(false)), 'a+date0+two')
    assert.equal(await build(parts, service, target(true)), 'a+date1+two')
    // Who does not say it gets the newest.
    assert.equal(await build(parts, service, target(false)), 'a+date1+two')
    await service.close()
  })

  it('retires the caches of steps with ignoreCache before any of them runs, once', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const target = (ignoreCache: boolean): Vertex =>
      run(run(image('a'), ['one'], { ignoreCache, caches: ['x', 'y'] }), ['two'], { ignoreCache, caches: ['x'] })
    await build(parts, service, target(false))
    parts.ran.length = 0
    await build(parts, service, target(true))
    assert.deepEqual(parts.ran, ['retire x y', 'RUN one', 'RUN two'])
    await service.close()
  })

  it('keeps proxies out of keys', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    await build(parts, service, run(image('a'), ['one'], { proxyEnv: ['HTTP_PROXY=http://user:secret@proxy'] }))
    parts.ran.length = 0
    await build(parts, service, run(image('a'), ['one']))
    assert.deepEqual(parts.ran, [])
    await service.close()
  })

  it('solves graphs that are deeper than any stack', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    parts.programs.set('step', (_, [base = '']) => String(Number(base) + 1))
    let target = image('0')
    for (let depth = 0; depth < 1500; depth++) target = run(target, ['step'])
    assert.equal(await build(parts, service, target), '1500')
    await service.close()
  })

  it('runs independent steps at the same time', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    letMeet(parts, 'left', 'right')
    assert.equal(await build(parts, service, copy(run(image('a'), ['left']), run(image('a'), ['right']))), 'met|met')
    await service.close()
  })
})

describe('steps shared by builds', () => {
  it('run once, and each build hears what they say, also when it comes late', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const go = Promise.withResolvers<void>()
    const said = Promise.withResolvers<void>()
    parts.programs.set('slow', async (step) => {
      step.log(1, Buffer.from('early'))
      said.resolve()
      await go.promise
      return 'slow'
    })
    const target = run(image('a'), ['slow'])
    const [one, two] = [start(service), start(service)]
    const first = one.evaluate(edge(target))
    await said.promise
    const second = two.evaluate(edge(target))
    await new Promise((resolve) => setImmediate(resolve))
    go.resolve()
    assert.deepEqual(await first, await second)
    assert.deepEqual(parts.ran, ['FROM a', 'RUN slow'])
    await two.end()
    const logs = (await eventsOf(service, two.id)).filter(({ kind }) => kind === 'log')
    assert.equal(logs.length, 1)
    await one.end()
    await service.close()
  })

  it('are stopped by the last one who leaves only', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const running = Promise.withResolvers<Step>()
    type Step = Parameters<NonNullable<ReturnType<FakeParts['programs']['get']>>>[0]
    parts.programs.set('hang', (step) => {
      running.resolve(step)
      return new Promise((_, reject) => step.signal.addEventListener('abort', () => reject(new Error('killed'))))
    })
    const target = edge(run(image('a'), ['hang']))
    const [one, two] = [start(service), start(service)]
    const first = one.evaluate(target)
    const second = two.evaluate(target)
    const step = await running.promise
    await new Promise((resolve) => setImmediate(resolve))
    service.cancel(one.id)
    await assert.rejects(first, /context canceled/)
    assert.equal(step.signal.aborted, false)
    service.cancel(two.id)
    await assert.rejects(second, /context canceled/)
    assert.equal(step.signal.aborted, true)
    assert.deepEqual(endsOf(await eventsOf(service, two.id)).slice(-1), ['failed (context canceled) RUN hang'])
    await service.close()
  })
})

describe('a failing build', () => {
  it('names the step, and cancels the others', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const stopped = Promise.withResolvers<void>()
    const hanging = Promise.withResolvers<void>()
    parts.programs.set('hang', (step) => {
      hanging.resolve()
      return new Promise((_, reject) =>
        step.signal.addEventListener('abort', () => {
          stopped.resolve()
          reject(new Error('killed'))
        }),
      )
    })
    parts.programs.set('fail', async () => {
      await hanging.promise
      throw new BuildError('INVALID_ARGUMENT', 'exit code: 3')
    })
    const failing = run(image('a'), ['fail'])
    const own = start(service)
    await assert.rejects(own.evaluate(edge(copy(run(image('a'), ['hang']), failing))), (error: BuildError) => {
      assert.equal(error.message, 'exit code: 3')
      assert.equal(error.vertex, failing.id)
      assert.equal(error.step?.vertex, failing)
      return true
    })
    await stopped.promise
    // The build goes on: its client may still look around.
    parts.programs.delete('fail')
    await own.evaluate(edge(failing))
    await own.end()
    await service.close()
  })

  it('tells of what cannot be keyed', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    await assert.rejects(
      build(parts, service, copy(image('a'), context(), '/missing')),
      /^BuildError: failed to compute cache key: "\/missing": not found$/,
    )
    await service.close()
  })

  it('refuses what needs an entitlement', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const target = edge(run(image('a'), ['one'], { network: 'host' }))
    const own = start(service)
    await assert.rejects(own.evaluate(target), { code: 'FORBIDDEN', message: 'network.host is not allowed' })
    await own.end()
    const allowed = start(service, { entitlements: new Set(['network.host']) })
    await allowed.evaluate(target)
    await allowed.end()
    assert.throws(
      () => start(service, { entitlements: new Set(['security.insecure']) }),
      /granting entitlement security.insecure is not allowed/,
    )
    await service.close()
  })
})

describe('a build', () => {
  it('is exported and ends', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const own = start(service)
    const result = await own.solve({ frontend: '', options: {}, inputs: {}, definition: edge(run(image('a'), ['one'])), evaluate: false })
    const metadata = { 'frontend.said': Buffer.from('yes'), other: Buffer.from('no') }
    const answers = await own.finish({ ...result, metadata }, [{ type: 'moby', attributes: {}, id: '' }], [])
    assert.deepEqual(answers, { content: 'a+one', 'frontend.said': 'yes' })
    const made = { image: 'linux/amd64', predicateType: 'made-of', predicate: { buildId: own.id } }
    assert.deepEqual(own.provenance(), [made])
    assert.throws(() => service.get(own.id), { code: 'NOT_FOUND' })
    await service.close()
  })

  it('ends with its client', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const closed = new AbortController()
    const own = start(service, { session: fakeSession({ closed: closed.signal }) })
    closed.abort()
    await own.end()
    assert.throws(() => service.get(own.id), { code: 'NOT_FOUND' })
    await service.close()
  })

  it('stands although its use of the cache cannot be noted', async () => {
    const parts = createFakeParts()
    const metadata = Object.create(parts.metadata, { transaction: { value: () => assert.fail('disk full') } }) as typeof parts.metadata
    const service = createBuildService({ ...parts.deps, metadata })
    const own = start(service)
    await own.evaluate(edge(image('a')))
    await own.end()
    assert.match(String(parts.reported[0]), /disk full/)
    assert.throws(() => service.get(own.id), { code: 'NOT_FOUND' })
    await service.close()
  })

  it('stops what steps above have begun early', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const hanging = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    parts.programs.set('hang', (step) => {
      hanging.resolve()
      step.signal.addEventListener('abort', () => stopped.resolve())
      return new Promise((_, reject) => step.signal.addEventListener('abort', () => reject(new Error('killed'))))
    })
    const own = start(service)
    const evaluating = own.evaluate(edge(run(run(image('a'), ['hang']), ['two'])))
    await hanging.promise
    // By now it is known what the step above is, and only its result is waited for.
    await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([own.end(), assert.rejects(evaluating, /context canceled/), stopped.promise])
    await service.close()
  })

  it('keeps nothing of a step that cannot be stopped', async () => {
    const parts = createFakeParts()
    let collections = 0
    const service = createBuildService({ ...parts.deps, released: () => void collections++ })
    const [running, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    parts.programs.set('stubborn', async () => {
      running.resolve()
      await go.promise
      return 'of files that have changed meanwhile'
    })
    const target = run(image('a'), ['stubborn'])
    const own = start(service)
    const evaluating = own.evaluate(edge(target))
    await running.promise
    await Promise.all([own.end(), assert.rejects(evaluating, /context canceled/)])
    assert.equal(collections, 1)
    go.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(collections, 2)
    parts.programs.set('stubborn', () => 'right')
    assert.equal(await build(parts, service, target), 'right')
    assert.equal(await build(parts, service, target), 'right')
    await service.close()
  })

  it('gives directories of its client back, also those that come when it has left', async () => {
    const parts = createFakeParts()
    const { sources } = parts.deps
    const [loading, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const released: string[] = []
    const local = {
      ...sources.local,
      async fetch(...args: Parameters<typeof sources.local.fetch>) {
        const ref = await sources.local.fetch(...args)
        const isLate = parts.ran.length > 1
        if (isLate) loading.resolve()
        if (isLate) await go.promise
        return { ...ref, release: () => void released.push(isLate ? 'late' : 'early') }
      },
    }
    const service = createBuildService({ ...parts.deps, sources: { ...sources, local } })
    const early = start(service)
    await early.evaluate(edge(context()))
    assert.deepEqual(released, [])
    await early.end()
    assert.deepEqual(released, ['early'])
    const late = start(service)
    const evaluating = late.evaluate(edge(context()))
    await loading.promise
    await Promise.all([late.end(), assert.rejects(evaluating, /context canceled/)])
    go.resolve()
    await service.close()
    assert.deepEqual(released, ['early', 'late'])
  })

  it('is waited for by who wants its events', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const events = eventsOf(service, 'soon')
    const own = start(service, { id: 'soon' })
    assert.throws(() => start(service, { id: 'soon' }), { code: 'CONFLICT' })
    await own.evaluate(edge(image('a')))
    await own.end()
    assert.deepEqual(endsOf(await events), ['done FROM a', 'done FROM a'])
    await service.close()
  })
})
