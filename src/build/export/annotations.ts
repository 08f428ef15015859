import { invalidArgument } from '#errors'
import { formatPlatform, normalisePlatform, parsePlatform } from '#oci'
import type { Platform } from '#oci'

/** Where an annotation is written. */
export type AnnotationPlace = 'manifest' | 'manifest-descriptor' | 'index' | 'index-descriptor'

export interface Annotation {
  place: AnnotationPlace
  /** Only for this platform's manifest; undefined: for all. */
  platform: Platform | undefined
  key: string
  value: string
}

export type Annotations = Annotation[]

export const NO_ANNOTATIONS: Annotations = []

const ATTRIBUTE = /^annotation(?:-(?<place>manifest-descriptor|manifest|index-descriptor|index))?(?:\[(?<platform>[^\]]+)\])?\.(?<key>.+)$/s

/**
 * `annotation.<key>`, `annotation-index.<key>`, `annotation-manifest[linux/arm64].<key>`; undefined for other attributes. Source: moby/buildkit
 * exporter/containerimage/exptypes/annotations.go.
 */
export function parseAnnotation(name: string, value: string): Annotation | undefined {
  const { place = 'manifest', platform, key } = ATTRIBUTE.exec(name)?.groups ?? {}
  if (key === undefined) return undefined
  if (platform !== undefined && place.startsWith('index'))
    throw invalidArgument(`invalid annotation: index annotations do not support platforms`)
  return { place: place as AnnotationPlace, platform: platform === undefined ? undefined : parsePlatform(platform), key, value }
}

/** What is to be written at one place, sorted; undefined: nothing. What names a platform counts more. */
export function annotationsFor(
  annotations: readonly Annotation[],
  place: AnnotationPlace,
  platform?: Platform,
): Record<string, string> | undefined {
  const fitting = annotations.filter(
    (one) => one.place === place && (one.platform === undefined || (platform && isSame(one.platform, platform))),
  )
  if (fitting.length === 0) return undefined
  const found = new Map<string, string>()
  for (const one of fitting.toSorted((a, b) => Number(a.platform !== undefined) - Number(b.platform !== undefined)))
    found.set(one.key, one.value)
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Throws INVALID_ARGUMENT for an annotation of a platform that is not built. */
export function checkAnnotations(annotations: readonly Annotation[], platforms: readonly Platform[]): void {
  for (const { platform } of annotations) {
    if (platform !== undefined && !platforms.some((built) => isSame(built, platform))) {
      throw invalidArgument(`invalid annotation: no platform ${formatPlatform(platform)} found in source`)
    }
  }
}

function isSame(a: Platform, b: Platform): boolean {
  return formatPlatform(normalisePlatform(a)) === formatPlatform(normalisePlatform(b))
}
