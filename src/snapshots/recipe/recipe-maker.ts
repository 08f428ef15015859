import { statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { codeOf } from '#errors'
import type { ContentStore } from '#content'
import type { Digest } from '#oci'
import type { Layer } from '../types.ts'
import type { JobRunner } from '../unpack/job.ts'
import type { LayerPlace } from './layer-tar.ts'

/** Makes recipes in the background and gives up the blobs that they replace. */
export interface RecipeMaker {
  /** Looks for layers that want one; a call during a run asks for another. */
  makeSoon(): void
}

/**
 * `candidates`: layers that are on the disk and have neither a recipe nor a refusal. `made` enters the outcome; false when the layer is gone or was
 * unpacked again meanwhile.
 */
export function createRecipeMaker(deps: {
  jobs: JobRunner
  content: ContentStore
  candidates: () => Layer[]
  placeOf: (layer: Layer) => LayerPlace
  made: (layer: Layer, recipe: boolean) => boolean
  report: (error: unknown) => void
}): RecipeMaker {
  const { content } = deps
  /** Failed in this run of the daemon: not to be tried for ever. */
  const failed = new Set<Digest>()
  let running = false
  let again = false

  async function run(): Promise<void> {
    running = true
    try {
      while (again) {
        again = false
        for (const layer of deps.candidates()) {
          if (failed.has(layer.diffId) || !content.has(layer.blob)) continue
          await make(layer)
        }
      }
    } finally {
      running = false // in the same turn as the last look at `again`
    }
  }

  async function make(layer: Layer): Promise<void> {
    const { directory, recipe } = deps.placeOf(layer)
    // The blob must not be collected under the reader.
    using lease = content.lease()
    lease.hold(layer.blob)
    try {
      const size = await deps.jobs.run({ kind: 'recipe', blob: content.path(layer.blob), directory, target: recipe })
      // Random data behind the end of the archive, files that replace each other: the blob is the better recipe then.
      const isWorthIt = size < statSync(content.path(layer.blob)).size / 2
      if (!isWorthIt) await rm(recipe, { force: true })
      if (!deps.made(layer, isWorthIt) || !isWorthIt) return
    } catch (error) {
      if (codeOf(error) === 'CANCELLED') return
      failed.add(layer.diffId)
      deps.report(error)
      return
    }
    lease[Symbol.dispose]()
    // Held by a pull or push that goes on: the next collection takes it.
    content.discard(layer.blob)
  }

  return {
    makeSoon() {
      again = true
      if (!running) run().catch(deps.report)
    },
  }
}
