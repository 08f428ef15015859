import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { codeOf } from '#errors'
import { hostPlatform, parseReference } from '#oci'
import { imagesUnderTest } from './testing/images-under-test.ts'
import type { ImagesUnderTest } from './testing/images-under-test.ts'
import { dockerArchive, makeConfig, makeLayer, platform } from './testing/make-archive.ts'

const LAYERS = await Promise.all(['a', 'b', 'c', 'd'].map((name) => makeLayer(name, name.repeat(50_000))))
const NAMES = ['r:5000/app:1', 'r:5000/app:2', 'r:5000/other:1', 'local:1']
const NO_FILTER = { reference: [], label: [], labelNot: [] }

/** The same numbers for the same seed: a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Images that share layers, one of them compressed in two ways, as manifests and as indexes of two platforms. */
function fillRegistry({ registry }: ImagesUnderTest): (() => void)[] {
  const [a, b, c, d] = LAYERS as [Buffer, Buffer, Buffer, Buffer]
  const host = hostPlatform().architecture
  const images = [
    registry.addImage(makeConfig([a, b]), [gzipSync(a), gzipSync(b)]),
    registry.addImage(makeConfig([a, c, a]), [gzipSync(a, { level: 1 }), gzipSync(c), gzipSync(a)]),
    registry.addIndex([
      registry.addImage(makeConfig([a, d], { architecture: host }), [gzipSync(a), gzipSync(d)], platform(host)),
      registry.addImage(makeConfig([a, b], { architecture: 's390x' }), [gzipSync(a), gzipSync(b)], platform('s390x')),
    ]),
  ]
  return images.flatMap((image) => NAMES.map((name) => () => registry.tag(name, image)))
}

/** One of the things that clients do, with what may go wrong because of what others do meanwhile. */
async function act(test: ImagesUnderTest, tags: (() => void)[], random: (below: number) => number): Promise<void> {
  const { images } = test
  const name = NAMES[random(NAMES.length)]!
  const reference = parseReference(name)
  const report = (): void => {}
  const actions = [
    async () => {
      tags[random(tags.length)]!()
      await images.pull({ reference, report })
    },
    () => images.pull({ reference, report, signal: AbortSignal.timeout(random(15) + 1) }),
    () => images.pull({ reference, report, platform: 'linux/s390x' }),
    () => images.remove(name, { force: random(2) === 0, prune: true }),
    () => images.prune({ ...NO_FILTER, dangling: random(2) === 0 }),
    () => images.tag(name, NAMES[random(NAMES.length)]!.slice(0, -2), '9'),
    () => images.push({ reference, report }),
    () => images.resolve(name, 'linux/s390x'),
    () => buffer(images.save([name])),
    async () => {
      const layers = LAYERS.slice(random(3))
      const archive = await dockerArchive({ config: makeConfig(layers), layers, tags: ['local:1'] })
      await images.load(Readable.from([archive], { objectMode: false }), { quiet: true, report })
    },
    async () => images.check().forEach(({ mend }) => mend()),
  ]
  try {
    await actions[random(actions.length)]!()
  } catch (error) {
    // Never that content is missing on which somebody was at work.
    const isExpected = ['NOT_FOUND', 'CONFLICT'].includes(codeOf(error)) && !/^(content|layer)/.test((error as Error).message)
    if (isExpected || (error as Error).name === 'TimeoutError') return
    throw error
  }
}

describe('images that many use at the same time', () => {
  for (const seed of [1, 2]) {
    it(`are whole afterwards, and nothing else is there (seed ${seed})`, async () => {
      using test = imagesUnderTest()
      const random = randomOf(seed)
      const tags = fillRegistry(test)
      for (const tag of tags.slice(0, NAMES.length)) tag()
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let step = 0; step < 25; step++) await act(test, tags, random)
        }),
      )
      const images = test.restart()
      await images.restore()
      assert.deepEqual([images.check(), test.reported], [[], []])
      for (const { id } of images.list({ all: true, filters: NO_FILTER })) await buffer(images.save([id]))
      for (const { repoTags, repoDigests, id } of images.list({ all: true, filters: NO_FILTER })) {
        for (const name of [...repoTags, ...repoDigests, id]) await images.remove(name, { force: true, prune: true }).catch(() => {})
      }
      await images.restore()
      for (let i = 0; i < 4000 && test.content.list().length > 0; i++) await sleep(5)
      assert.deepEqual(test.content.list(), [])
    })
  }
})
