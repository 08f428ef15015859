import { hostPlatform } from '#oci'
import type { Digest, ImageConfigFile, ImageHistoryEntry, Platform } from '#oci'
import { timeText } from './epoch.ts'

/** A layer of the image to be, lowest first. */
export interface LayerFacts {
  diffId: Digest
  /** Milliseconds since the epoch; undefined: a layer of the base image. */
  createdAt: number | undefined
  description: string | undefined
}

export interface CompletionOptions {
  /** Nothing is younger than this. Milliseconds. */
  epoch: number | undefined
  /** Content of `moby.buildkit.cache.v0`. */
  inlineCache?: Uint8Array
}

/** Where BuildKit puts an inline cache. */
export const INLINE_CACHE_FIELD = 'moby.buildkit.cache.v0'

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The config as it is stored: with diff ids, one entry of history for each layer, and times that are the layers', so that a build from the cache gives the same
 * image again. Source: moby/buildkit exporter/containerimage/writer.go, normalizeLayersAndHistory, patchImageConfig.
 */
export function completeConfig(
  file: ImageConfigFile,
  layers: readonly LayerFacts[],
  { epoch, inlineCache }: CompletionOptions,
): ImageConfigFile {
  const matched = matchLayers(file.history ?? [], layers)
  const timed = fillTimes(matched)
  const history = epoch === undefined ? timed : timed.map((entry) => ({ ...entry, created: notAfter(entry.created, epoch) }))
  const created = epoch === undefined ? (file.created ?? lastTime(history)) : timeText(epoch)
  return {
    ...file,
    ...(created === undefined ? {} : { created }),
    ...(inlineCache === undefined ? {} : { [INLINE_CACHE_FIELD]: Buffer.from(inlineCache).toString('base64') }),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history,
  }
}

/** What a file system that no Dockerfile made gets for a config. */
export function emptyConfig(platform: Platform = hostPlatform()): ImageConfigFile {
  return { ...platform, config: { Env: [DEFAULT_PATH], WorkingDir: '/' }, rootfs: { type: 'layers', diff_ids: [] }, history: [] }
}

/** As many entries with a layer as there are layers; those that are known to have been made now get their layer's time. */
function matchLayers(history: readonly ImageHistoryEntry[], layers: readonly LayerFacts[]): ImageHistoryEntry[] {
  let next = 0
  const matched = history.map((entry) => {
    if (entry.empty_layer === true) return entry
    const layer = layers[next]
    // More entries than layers: no image that was made properly has them.
    if (layer === undefined) return { ...entry, empty_layer: true }
    next++
    return entry.created === undefined && layer.createdAt !== undefined ? { ...entry, created: timeText(layer.createdAt) } : entry
  })
  for (const { createdAt, description = 'created by buildkit' } of layers.slice(next)) {
    matched.push({
      ...(createdAt === undefined ? {} : { created: timeText(createdAt) }),
      created_by: description,
      comment: 'buildkit.exporter.image.v0',
    })
  }
  return matched
}

/**
 * What has no time gets that of the layer before it; what comes before the first new layer gets that one's: else an instruction of today would be as old as
 * the base image.
 */
function fillTimes(history: readonly ImageHistoryEntry[]): ImageHistoryEntry[] {
  const firstGap = history.findIndex(({ created }) => created === undefined)
  if (firstGap === -1) return [...history]
  const firstNew = history.slice(firstGap).find(({ created }) => created !== undefined)?.created
  let time = firstNew ?? lastTime(history)
  return history.map((entry, index) => {
    if (entry.created !== undefined) {
      if (index > firstGap) time = entry.created
      return entry
    }
    return time === undefined ? entry : { ...entry, created: time }
  })
}

function lastTime(history: readonly ImageHistoryEntry[]): string | undefined {
  return history.findLast(({ created }) => created !== undefined)?.created
}

function notAfter(time: string | undefined, epoch: number): string {
  return time === undefined || !(Date.parse(time) <= epoch) ? timeText(epoch) : time
}
