import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { build, readBase, type Base, type Failure, type Image } from '../../integration/build-examples/built-example.ts'
import { readExamples, type Example } from '../../integration/build-examples/example.ts'
import { featuresOf, type Feature } from './features.ts'
import type { PeerBuilder } from './peer-builders.ts'

export interface Peer {
  readonly name: string
  readonly start: () => Promise<PeerBuilder>
  /** Program and features that must be there; a reason not to run at all. */
  readonly missing: string | undefined
  readonly lacks: readonly Feature[]
  /** By example, why it is built in another way. One that is built in the same way after all fails. */
  readonly differences: Readonly<Record<string, string>>
  /** Whether it leaves such a file behind in its images, where ours have none. */
  readonly leaves?: (path: string, facts: string) => boolean
  /** Takes its own marks out of a config. */
  readonly plainConfig?: (config: Config) => Config
}

export type Config = Image['config']

/** Builds each example that the peer can build, and compares it with `result.json`, which is what Gantry makes of it. */
export function compareWith(peer: Peer): void {
  describe(`${peer.name} builds the examples as Gantry does`, { concurrency: 3, skip: peer.missing ?? false }, () => {
    let builder: PeerBuilder
    let base: Base
    before(async () => {
      builder = await peer.start()
      base = await readBase(builder)
    })
    after(() => builder?.[Symbol.asyncDispose]())

    const examples = readExamples()
    it('differences name examples', () => {
      for (const name of Object.keys(peer.differences))
        assert.ok(
          examples.some((example) => plainName(example) === name),
          name,
        )
    })
    for (const example of examples) {
      const lacking = featuresOf(example).filter((feature) => peer.lacks.includes(feature))
      if (lacking.length > 0) continue
      const reason = peer.differences[plainName(example)]
      it(reason === undefined ? example.name : `${example.name} (differs: ${reason})`, async () => {
        const attempt = async (): Promise<void> => compare(example, await build(example, builder, base), peer)
        if (reason === undefined) await attempt()
        else await assert.rejects(attempt, 'it does not differ any more: take it out of the table')
      })
    }
  })
}

/** Without the number. */
function plainName({ name }: Example): string {
  return name.slice(4)
}

function compare(example: Example, theirs: Failure | Image, peer: Peer): void {
  if ('error' in theirs || example.error !== undefined) {
    assert.ok('error' in theirs && example.error !== undefined, 'error' in theirs ? theirs.error : 'only we refuse it')
    return
  }
  const golden = join(example.folder, 'result.json')
  assert.ok(existsSync(golden), `${golden} is missing`)
  const ours = JSON.parse(readFileSync(golden, 'utf8')) as Image
  const left = ([path, facts]: [string, string]): boolean => ours.files[path] === undefined && peer.leaves?.(path, facts) === true
  const files = Object.fromEntries(Object.entries(theirs.files).filter((entry) => !left(entry)))
  const config = peer.plainConfig?.(theirs.config) ?? theirs.config
  assert.deepEqual(
    { files, config: withoutTrifles(config), history: theirs.history.length },
    { files: ours.files, config: withoutTrifles(ours.config), history: ours.history.length },
  )
}

/** `Image` is the classic builder's note of the step before; `ArgsEscaped` has a meaning on Windows only; the root as working directory is what is without one. */
function withoutTrifles(config: Config): Config {
  const means = ([name, value]: [string, unknown]): boolean =>
    name !== 'Image' && name !== 'ArgsEscaped' && !(name === 'WorkingDir' && value === '/')
  return Object.fromEntries(Object.entries(config).filter(means))
}
