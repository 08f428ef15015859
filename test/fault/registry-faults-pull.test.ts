/**
 * Pulls through a proxy that makes things go wrong: the connection is cut at every tenth of a layer, digests and lengths are wrong, each
 * step is refused in every way, layers are elsewhere. Each time the next attempt succeeds, and nothing half done is left.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { OtherHost, type Fault, type FaultRule } from '../harness/index.ts'
import { checkStore, pull, startRegistryFixture, survives, type RegistryFixture } from './registry-fixture.ts'
import { makeSmallImage, uploadImage, type SmallImage } from './small-image.ts'

const LAYER_SIZE = 200_000
const TENTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const STATUSES = [401, 403, 404, 429, 500, 503]

let fixture: RegistryFixture
let count = 0

/** A new image in a new repository: nothing of it is in the daemon. */
async function newImage(sizes: readonly number[] = [LAYER_SIZE, 500]): Promise<{ repository: string; image: SmallImage }> {
  const repository = `pull/image-${++count}`
  const image = makeSmallImage(sizes)
  await uploadImage(fixture.registry.domain, repository, image)
  return { repository, image }
}

const pulling = (repository: string) => (): Promise<string | undefined> => pull(fixture.engine, fixture.proxy.domain, repository)

describe('a pull through a faulty network', { timeout: 400_000 }, () => {
  let slow: Promise<void>
  before(async () => {
    fixture = await startRegistryFixture()
    // Takes half a minute of waiting: the others run meanwhile.
    slow = survivesSlowRegistry()
    slow.catch(() => undefined) // told by its test
  })
  after(async () => {
    await checkStore(fixture.engine)
    await fixture[Symbol.asyncDispose]()
  })

  it('goes on where each of nine layers was cut, at another tenth of it each', async () => {
    const { repository, image } = await newImage(TENTHS.map(() => LAYER_SIZE))
    const rules = image.layers.map(({ bytes, digest }, index): FaultRule => {
      const at = Math.floor((bytes.length * (index + 1)) / 10)
      return { path: new RegExp(`/blobs/${digest}`), fault: { kind: 'cut-response', at }, times: 1 }
    })
    await survives(fixture, rules, undefined, pulling(repository))
  })

  it('goes on when the connection is cut after each third of a layer', async () => {
    const { repository, image } = await newImage()
    const at = Math.ceil((image.layers[0]?.bytes.length ?? 0) / 3)
    const path = new RegExp(`/blobs/${image.layers[0]?.digest}`)
    await survives(fixture, [{ path, fault: { kind: 'cut-response', at }, times: 2 }], undefined, pulling(repository))
  })

  it('gives up when every connection is cut before the first byte', async () => {
    const { repository, image } = await newImage()
    const path = new RegExp(`/blobs/${image.layers[0]?.digest}`)
    await survives(fixture, [{ path, fault: { kind: 'cut-response', at: 0 } }], /EOF/, pulling(repository))
  })

  const STEPS: { step: string; path: (image: SmallImage) => RegExp; errors: (status: number) => RegExp | undefined }[] = [
    // The ping only asks how to authenticate; what a request needs is learnt from the request, too.
    { step: 'the ping', path: () => /^\/v2\/$/, errors: () => undefined },
    { step: 'the token', path: () => /^\/token/, errors: refusal },
    { step: 'the manifest', path: () => /\/manifests\//, errors: refusal },
    { step: 'the config', path: ({ config }) => new RegExp(`/blobs/${config.digest}`), errors: blobRefusal },
    { step: 'a layer', path: ({ layers }) => new RegExp(`/blobs/${layers[0]?.digest}`), errors: blobRefusal },
  ]
  for (const { step, path, errors } of STEPS) {
    for (const status of STATUSES) {
      const expected = errors(status)
      it(`${expected === undefined ? 'gets over' : 'fails with'} ${status} for ${step}`, async () => {
        const { repository, image } = await newImage()
        await survives(fixture, [{ path: path(image), fault: refusing(status) }], expected, pulling(repository))
      })
    }
  }

  it('asks by GET when HEAD of a manifest is refused, whatever the reason', async () => {
    const { repository } = await newImage()
    const { engine, proxy } = fixture
    assert.equal(await pull(engine, proxy.domain, repository), undefined)
    for (const status of STATUSES) {
      const rule = { method: 'HEAD', path: /\/manifests\//, fault: refusing(status) }
      await survives(fixture, [rule], undefined, pulling(repository))
    }
  })

  const WRONG: [string, (image: SmallImage) => RegExp, RegExp][] = [
    ['manifest', () => /\/manifests\//, /verification failed for digest|unsupported manifest format/],
    ['config', ({ config }) => new RegExp(`/blobs/${config.digest}`), /verification failed for digest|content has digest/],
    ['layer', ({ layers }) => new RegExp(`/blobs/${layers[0]?.digest}`), /verification failed for digest/],
  ]
  for (const [what, path, expected] of WRONG) {
    it(`refuses a ${what} with another digest`, async () => {
      const { repository, image } = await newImage()
      await survives(fixture, [{ path: path(image), fault: { kind: 'corrupt-response' } }], expected, pulling(repository))
    })
  }

  for (const by of [-1, 1]) {
    it(`refuses a layer that is a byte ${by < 0 ? 'shorter' : 'longer'} than its descriptor says`, async () => {
      const { repository, image } = await newImage()
      const [layer] = image.layers
      const expected = new RegExp(`the registry has ${(layer?.bytes.length ?? 0) + by} bytes of it`)
      const path = new RegExp(`/blobs/${layer?.digest}`)
      await survives(fixture, [{ path, fault: { kind: 'resize-response', by } }], expected, pulling(repository))
    })
  }

  it('takes a layer from where the registry sends it, without showing its credentials there', async () => {
    const { repository, image } = await newImage()
    const [layer] = image.layers
    await using elsewhere = await OtherHost.start(fixture.engine.host, () => layer?.bytes)
    const fault = { kind: 'redirect', to: `http://${elsewhere.domain}/storage` } as const
    await survives(fixture, [{ path: new RegExp(`/blobs/${layer?.digest}`), fault }], undefined, async () => {
      const error = await pulling(repository)()
      const asked = fixture.proxy.seen.find(({ path }) => path.includes(String(layer?.digest)))
      assert.match(asked?.authorization ?? '', /^Bearer /)
      return error
    })
    assert.equal(elsewhere.seen.length, 1)
    assert.equal(elsewhere.seen[0]?.authorization, undefined)
  })

  it('does not give its credentials to a token server that only another host asks for', async () => {
    const { repository, image } = await newImage()
    await using elsewhere = await OtherHost.start(fixture.engine.host, () => undefined)
    const fault = { kind: 'redirect', to: `http://${elsewhere.domain}/storage` } as const
    await survives(fixture, [{ path: new RegExp(`/blobs/${image.config.digest}`), fault }], /unknown blob/, pulling(repository))
    assert.ok(elsewhere.seen.every(({ authorization }) => authorization === undefined))
  })

  it('does not wait for a registry that sends a byte now and then', () => slow)
})

const BODIES: Record<number, string> = {
  401: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}',
  403: '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}',
  404: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
  429: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
}

function refusing(status: number): Fault {
  return { kind: 'status', status, body: BODIES[status] ?? '' }
}

function refusal(status: number): RegExp {
  const texts: Record<number, RegExp> = {
    401: /unauthorized: /,
    403: /denied: /,
    404: /manifest unknown: /,
    429: /toomanyrequests: slow down/,
  }
  return texts[status] ?? new RegExp(`received unexpected HTTP status: ${status}`)
}

function blobRefusal(status: number): RegExp {
  return status === 404 ? /unknown blob/ : refusal(status)
}

/** With a daemon of its own: what is half done there would be found by the others. */
async function survivesSlowRegistry(): Promise<void> {
  await using own = await startRegistryFixture()
  const image = makeSmallImage([LAYER_SIZE])
  await uploadImage(own.registry.domain, 'slow/image', image)
  const path = new RegExp(`/blobs/${image.layers[0]?.digest}`)
  await survives(own, [{ path, fault: { kind: 'trickle', everyMs: 200 }, times: 1 }], undefined, () =>
    pull(own.engine, own.proxy.domain, 'slow/image'),
  )
  await checkStore(own.engine)
}
