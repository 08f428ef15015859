import { digestOf } from '#oci'
import type { Digest } from '#oci'
import { argumentNames } from './argument-names.ts'
import type { BuildStep } from '../types.ts'

/** Instructions that are remembered; of more the oldest are forgotten. */
const MAX_KNOWN = 20_000

/**
 * Instructions that builds since the daemon's start have come to, each with all that stood in front of it. Those that only change the config have no record in
 * the cache, as they cost nothing; the classic builder had images for them, and told of those it found again.
 */
export class KnownSteps {
  readonly #known = new Set<Digest>()

  /** Whether it was known. */
  add(step: Digest): boolean {
    const known = this.#known.delete(step)
    this.#known.add(step)
    if (this.#known.size > MAX_KNOWN) for (const oldest of this.#known) return this.#known.delete(oldest) && known
    return known
  }
}

/** A name for each step: the Dockerfile up to there, with the bases, and the arguments that it takes. `options`: `build-arg:NAME`. */
export function stepNames(steps: readonly BuildStep[], options: Readonly<Record<string, string>>): Digest[] {
  let above = ''
  return steps.map(({ text, vertex }) => {
    const base = /^from\b/i.test(text) ? vertex : undefined
    const values = argumentNames(text).map((name) => options[`build-arg:${name}`])
    const name = digestOf(Buffer.from(JSON.stringify([above, text, base, values])))
    above = name
    return name
  })
}
