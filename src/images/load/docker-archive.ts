import { invalidArgument } from '#errors'
import { parseJson } from '#lib'
import type { Digest } from '#oci'
import { addImage } from './spool-archive.ts'
import type { ArchivedImage, SpooledArchive } from './spool-archive.ts'

const MAX_MANIFEST = 4 * 1024 * 1024
const MAX_LAYERS = 1024
const MAX_IMAGES = 4096

/**
 * Images of a `docker save` archive: `manifest.json` lists config, layers and names of each. Written so since Docker 1.10; from 25 on the
 * paths point into an OCI layout. Source: moby image/tarexport/load.go.
 */
export function readDockerArchive(archive: SpooledArchive): ArchivedImage[] {
  const bytes = archive.read('manifest.json', MAX_MANIFEST)
  let manifest: unknown
  try {
    manifest = parseJson(bytes, { maxBytes: MAX_MANIFEST, maxDepth: 16 })
  } catch (cause) {
    throw invalidArgument('invalid archive: manifest.json is not JSON', cause)
  }
  if (!Array.isArray(manifest)) throw invalidArgument('invalid archive: manifest.json is not a list')
  if (manifest.length > MAX_IMAGES) throw invalidArgument(`invalid archive: more than ${MAX_IMAGES} images`)
  const images = new Map<Digest, ArchivedImage>()
  for (const [index, item] of manifest.entries()) {
    const image = readItem(archive, item, `manifest.json[${index}]`)
    addImage(images, image, image.names)
  }
  return [...images.values()]
}

function readItem(archive: SpooledArchive, item: unknown, what: string): ArchivedImage {
  if (typeof item !== 'object' || item === null) throw invalidArgument(`invalid archive: ${what} is not an object`)
  const { Config: config, Layers: layers, RepoTags: names } = item as Record<string, unknown>
  if (typeof config !== 'string') throw invalidArgument(`invalid archive: ${what}.Config is not a path`)
  return {
    config: archive.get(config).digest,
    layers: strings(layers, `${what}.Layers`).map((path) => archive.get(path).digest),
    names: strings(names, `${what}.RepoTags`),
  }
}

/** A list of strings; null and nothing are an empty one, as in Go. */
function strings(value: unknown, what: string): string[] {
  const list = value ?? []
  if (!Array.isArray(list) || list.length > MAX_LAYERS || !list.every((entry) => typeof entry === 'string')) {
    throw invalidArgument(`invalid archive: ${what} is not a list of strings`)
  }
  return list
}
