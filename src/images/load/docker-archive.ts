import { invalidArgument } from '#errors'
import { parseJson } from '#lib'
import type { ArchivedManifest } from './archived-image.ts'
import type { SpooledArchive } from './spool-archive.ts'

const MAX_MANIFEST = 4 * 1024 * 1024
const MAX_LAYERS = 1024
const MAX_IMAGES = 4096

/** One item of `manifest.json`. */
export interface DockerArchiveItem extends ArchivedManifest {
  names: string[]
  /** What the OCI layout beside it says of this image was made for the archive only. Docker, and Gantry, say so by listing the sources of the layers. */
  isMade: boolean
}

/**
 * Images of a `docker save` archive: `manifest.json` lists config, layers and names of each. Written so since Docker 1.10; from 25 on the
 * paths point into an OCI layout. Source: moby image/tarexport/load.go.
 */
export function readDockerArchive(archive: SpooledArchive): DockerArchiveItem[] {
  // Also what Docker says to archives of Docker before 1.10.
  if (archive.find('manifest.json') === undefined) throw invalidArgument('invalid archive: does not contain a manifest.json')
  const bytes = archive.read('manifest.json', MAX_MANIFEST)
  let manifest: unknown
  try {
    manifest = parseJson(bytes, { maxBytes: MAX_MANIFEST, maxDepth: 16 })
  } catch (cause) {
    throw invalidArgument('invalid archive: manifest.json is not JSON', cause)
  }
  if (!Array.isArray(manifest)) throw invalidArgument('invalid archive: manifest.json is not a list')
  if (manifest.length > MAX_IMAGES) throw invalidArgument(`invalid archive: more than ${MAX_IMAGES} images`)
  return manifest.map((item, index) => readItem(archive, item, `manifest.json[${index}]`))
}

function readItem(archive: SpooledArchive, item: unknown, what: string): DockerArchiveItem {
  if (typeof item !== 'object' || item === null) throw invalidArgument(`invalid archive: ${what} is not an object`)
  const { Config: config, Layers: layers, RepoTags: names, LayerSources: sources } = item as Record<string, unknown>
  if (typeof config !== 'string') throw invalidArgument(`invalid archive: ${what}.Config is not a path`)
  return {
    config: archive.get(config).digest,
    layers: strings(layers, `${what}.Layers`).map((path) => archive.get(path).digest),
    names: strings(names, `${what}.RepoTags`),
    isMade: sources !== undefined && sources !== null,
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
