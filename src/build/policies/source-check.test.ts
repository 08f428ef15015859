import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forbidden } from '#errors'
import { createBuildService } from '../service.ts'
import { createFakeParts, copy, edge, image, run } from '../testing/fake-parts.ts'
import { start } from '../testing/start-build.ts'
import { SourceCheck } from './source-check.ts'
import type { SourcePolicy } from './types.ts'

const DENY: SourcePolicy = ({ identifier }) => {
  if (identifier.includes('gcc')) throw forbidden('source "x" denied by policy')
  return undefined
}

describe('SourceCheck', () => {
  it('lets nothing of a graph begin that has a denied source somewhere', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const own = start(service, { sourcePolicy: DENY })
    const target = copy(run(image('base'), ['one']), run(image('gcc'), ['compile']))
    await assert.rejects(own.evaluate(edge(target)), {
      code: 'FORBIDDEN',
      message: 'error evaluating the source policy: source "x" denied by policy',
    })
    assert.deepEqual(parts.ran, [])
    await own.end()
    await service.close()
  })

  it('builds with what a source is converted to, and finds the steps of that one', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const wanted = image('pinned').op
    assert.ok(wanted.kind === 'image')
    const policy: SourcePolicy = ({ identifier }) => (identifier.endsWith('loose') ? wanted : undefined)
    const own = start(service, { sourcePolicy: policy })
    const ref = await own.evaluate(edge(run(image('loose'), ['one'])))
    assert.equal(parts.contentOf(ref), 'pinned+one')
    await own.end()
    const plain = start(service)
    await plain.evaluate(edge(run(image('pinned'), ['one'])))
    await plain.end()
    assert.equal(parts.ran.filter((step) => step.startsWith('RUN')).length, 1)
    await service.close()
  })

  it('is asked before an image is looked for', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const own = start(service, { sourcePolicy: DENY })
    const request = { reference: 'gcc:1', platform: parts.deps.hostPlatform, resolveMode: 'local', name: 'x' } as const
    const asked: string[] = []
    const other = start(service, { sourcePolicy: ({ identifier }) => void asked.push(identifier) })
    await other.resolveImage({ ...request, reference: 'alpine' }).catch(() => undefined)
    assert.deepEqual(asked, ['docker-image://docker.io/library/alpine:latest'])
    await other.end()
    await assert.rejects(own.resolveImage(request), {
      message: 'could not resolve image due to policy: source "x" denied by policy',
    })
    await own.end()
    await service.close()
  })

  it('makes no directory of the client out of what is none', async () => {
    const parts = createFakeParts()
    const service = createBuildService(parts.deps)
    const policy: SourcePolicy = () => ({
      kind: 'local',
      name: 'context',
      includePatterns: [],
      excludePatterns: [],
      followPaths: [],
      sharedKeyHint: '',
    })
    const own = start(service, { sourcePolicy: policy })
    await assert.rejects(own.evaluate(edge(run(image('a'), ['one']))), /a source of type image cannot become one of type local/)
    await own.end()
    await service.close()
  })

  it('hides the login of an address from rules, and leaves it with its server', () => {
    const source = { kind: 'http', filename: '', uid: 0, gid: 0, authHeaderSecret: '' } as const
    const urlAfter = (to: string): string | undefined => {
      const check = new SourceCheck(({ identifier }) => {
        assert.equal(identifier, 'https://example.com/a')
        return { ...source, url: to }
      })
      const written = { ...image('x'), op: { ...source, url: 'https://me:secret@example.com/a' } }
      const { op } = check.allowed(written)
      return op.kind === 'http' ? op.url : undefined
    }
    assert.equal(urlAfter('https://example.com/b'), 'https://me:secret@example.com/b')
    assert.equal(urlAfter('https://other.test/a'), 'https://other.test/a')
  })
})
