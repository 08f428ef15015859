/**
 * Pushes through a proxy that makes things go wrong: the connection is cut at every tenth of a layer, content changes on the way, each step
 * is refused in every way. Each time the next attempt succeeds, what is pushed can be pulled, and nothing half done is left.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { OtherHost, type Fault, type FaultRule } from '../harness/index.ts'
import { checkStore, pull, push, startRegistryFixture, survives, type RegistryFixture } from './registry-fixture.ts'
import { makeSmallImage, uploadImage } from './small-image.ts'

/** Larger than what goes in one request. */
const LAYER_SIZE = 1_500_000
const SMALL_SIZE = 20_000
const TENTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const STATUSES = [401, 403, 404, 429, 500, 503]

const BODIES: Readonly<Record<number, string>> = {
  401: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}',
  403: '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}',
  404: '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}',
  429: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
}

const REFUSALS: Readonly<Record<number, RegExp>> = {
  // A HEAD has no body to say more.
  401: /unauthorized: authentication required/,
  403: /denied: requested access to the resource is denied|error parsing HTTP 403 response body: unexpected end of JSON input/,
  404: /name unknown: repository name not known to registry/,
  429: /toomanyrequests: slow down|error parsing HTTP 429 response body: unexpected end of JSON input/,
  500: /received unexpected HTTP status: 500 Internal Server Error/,
  503: /received unexpected HTTP status: 503 Service Unavailable/,
}

function refusing(status: number): Fault {
  return { kind: 'status', status, body: BODIES[status] ?? '' }
}

let fixture: RegistryFixture
let count = 0

/** A new image in the daemon, under a name in the registry behind the proxy where nothing of it is. */
async function newImage(sizes: readonly number[]): Promise<string> {
  const { engine, registry, plain, proxy } = fixture
  const number = ++count
  const repository = `push/image-${number}`
  await uploadImage(registry.domain, `origin/image-${number}`, makeSmallImage(sizes))
  assert.equal(await pull(engine, plain.domain, `origin/image-${number}`), undefined)
  const tagged = await engine.request(
    'POST',
    `/images/${plain.domain}/origin/image-${number}:1/tag?repo=${proxy.domain}/${repository}&tag=1`,
  )
  assert.equal(tagged.status, 201)
  return repository
}

const pushing = (repository: string) => (): Promise<string | undefined> => push(fixture.engine, fixture.proxy.domain, repository)

describe('a push through a faulty network', { timeout: 400_000 }, () => {
  before(async () => {
    fixture = await startRegistryFixture()
  })
  after(async () => {
    await checkStore(fixture.engine)
    await fixture[Symbol.asyncDispose]()
  })

  it('goes on where each of nine layers was cut, at another tenth of it each', async () => {
    const images = await Promise.all(TENTHS.map(async (tenth) => ({ tenth, repository: await newImage([LAYER_SIZE]) })))
    const rules = images.map(({ tenth, repository }): FaultRule => {
      const at = (LAYER_SIZE * tenth) / 10
      return { method: 'PATCH', path: new RegExp(`/${repository}/blobs/uploads/`), fault: { kind: 'cut-request', at }, times: 1 }
    })
    await survives(fixture, rules, undefined, async () => {
      const errors = await Promise.all(images.map(({ repository }) => pushing(repository)()))
      return errors.find((error) => error !== undefined)
    })
    for (const { repository } of images) await assertPullable(repository)
  })

  it('gives up when every connection is cut', async () => {
    const repository = await newImage([LAYER_SIZE])
    const rule: FaultRule = { method: 'PATCH', path: /\/uploads\//, fault: { kind: 'cut-request', at: 0 } }
    await survives(fixture, [rule], /EOF|broken pipe|connection reset/, pushing(repository))
    await assertPullable(repository)
  })

  const STEPS: { step: string; method?: string; path: RegExp; size: number; gets?: (status: number) => boolean }[] = [
    { step: 'the ping', method: 'GET', path: /^\/v2\/$/, size: SMALL_SIZE, gets: () => true },
    { step: 'the token', path: /^\/token/, size: SMALL_SIZE },
    // Not there, or not to be told: then it is uploaded.
    { step: 'HEAD of a blob', method: 'HEAD', path: /\/blobs\//, size: SMALL_SIZE, gets: (status) => status === 404 },
    { step: 'the begin of an upload', method: 'POST', path: /\/uploads\//, size: SMALL_SIZE },
    { step: 'the content of a blob', method: 'PATCH', path: /\/uploads\//, size: LAYER_SIZE },
    { step: 'the end of an upload', method: 'PUT', path: /\/uploads\//, size: SMALL_SIZE },
    { step: 'the manifest', method: 'PUT', path: /\/manifests\//, size: SMALL_SIZE },
  ]
  for (const { step, method, path, size, gets } of STEPS) {
    for (const status of STATUSES) {
      const expected = gets?.(status) === true ? undefined : REFUSALS[status]
      it(`${expected === undefined ? 'gets over' : 'fails with'} ${status} for ${step}`, async () => {
        const repository = await newImage([size])
        await survives(fixture, [{ ...(method !== undefined && { method }), path, fault: refusing(status) }], expected, pushing(repository))
        await assertPullable(repository)
      })
    }
  }

  it('gets over a refused HEAD of a manifest', async () => {
    const repository = await newImage([SMALL_SIZE])
    await pushing(repository)()
    const rule: FaultRule = { method: 'HEAD', path: /\/(manifests|blobs)\//, fault: refusing(404) }
    await survives(fixture, [rule], undefined, pushing(repository))
  })

  for (const size of [SMALL_SIZE, LAYER_SIZE]) {
    it(`fails when the content of a blob of ${size} bytes changes on the way`, async () => {
      const repository = await newImage([size])
      const method = size > SMALL_SIZE ? 'PATCH' : 'PUT'
      const rule: FaultRule = { method, path: /\/uploads\//, fault: { kind: 'corrupt-request' } }
      await survives(fixture, [rule], /digest invalid: /, pushing(repository))
      await assertPullable(repository)
    })
  }

  it('does not show its credentials to a host that the registry redirects to', async () => {
    const repository = await newImage([SMALL_SIZE])
    await using elsewhere = await OtherHost.start(fixture.engine.host, () => undefined)
    const rule: FaultRule = { method: 'HEAD', path: /\/blobs\//, fault: { kind: 'redirect', to: `http://${elsewhere.domain}/x` } }
    await survives(fixture, [rule], undefined, pushing(repository))
    assert.ok(elsewhere.seen.length > 0)
    assert.ok(elsewhere.seen.every(({ authorization }) => authorization === undefined))
    assert.ok(
      fixture.proxy.seen.every(({ authorization, path }) => path.startsWith('/token') || authorization?.startsWith('Basic') !== true),
    )
  })
})

/** All of it is in the registry: another name for the same bytes. */
async function assertPullable(repository: string): Promise<void> {
  const { engine, plain } = fixture
  assert.equal(await pull(engine, plain.domain, repository), undefined)
}
