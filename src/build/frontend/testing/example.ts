import { sourceExcerpt } from '#dockerfile'
import type { ImageConfigFile } from '#oci'
import { BuildError } from '../../build-error.ts'
import type { BuildImage, BuildWarning } from '../../types.ts'
import { fakeBuild } from './fake-host.ts'
import type { FakeBuild, FakeWorld } from './fake-host.ts'
import { graphText, shorten } from './graph-text.ts'

/**
 * A Dockerfile and the world that it is built in, in one file:
 *
 * ```
 * What it shows.
 * -- options --
 * target=build
 * -- context/.dockerignore --
 * *.log
 * -- Dockerfile --
 * FROM alpine
 * ```
 *
 * Sections are `options`, `images` (JSON by reference), `Dockerfile`, and files by source and path.
 */
export function readExample(text: string): { dockerfile: string; world: FakeWorld } {
  const [, ...parts] = text.split(/^-- (.+) --\n/m)
  const sections = new Map(Array.from({ length: parts.length / 2 }, (_, i) => [parts[2 * i] ?? '', parts[2 * i + 1] ?? '']))
  const files: Record<string, Record<string, string>> = {}
  for (const [name, content] of sections) {
    const [, source, path] = /^(\w+)\/(.+)$/.exec(name) ?? []
    if (source !== undefined && path !== undefined) files[source] = { ...files[source], [path]: content }
  }
  const dockerfile = sections.get('Dockerfile') ?? ''
  const options = Object.fromEntries((sections.get('options') ?? '').split('\n').filter(Boolean).map(splitOption))
  const written = JSON.parse(sections.get('images') ?? '{}') as Record<string, Partial<ImageConfigFile> | null>
  const images = Object.fromEntries(Object.entries(written).map(([reference, image]) => [reference, image ?? undefined]))
  return { dockerfile, world: { options, files: { ...files, dockerfile: { Dockerfile: dockerfile, ...files['dockerfile'] } }, images } }
}

function splitOption(line: string): [string, string] {
  const equals = line.indexOf('=')
  return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]
}

/** All that building an example gives, for reading. */
export async function buildExample(text: string): Promise<string> {
  const { dockerfile, world } = readExample(text)
  const warnings: BuildWarning[] = []
  try {
    return buildText(await fakeBuild(dockerfile, { ...world, warnings }))
  } catch (error) {
    return [errorText(error), ...warnings.map(warningText)].join('\n')
  }
}

function buildText({ result, warnings }: FakeBuild): string {
  const images = result.images.map((image) => (result.images.length > 1 ? `# ${image.id}\n${imageText(image)}` : imageText(image)))
  const answers = Object.entries(result.metadata).map(([name, bytes]) => `${name}\n${Buffer.from(bytes).toString()}`)
  return [...images, ...answers, ...warnings.map(warningText)].map((part) => `${part}\n`).join('\n')
}

function imageText({ edge, config }: BuildImage): string {
  if (config === undefined) return graphText(edge)
  const { history = [], config: process, rootfs: _, ...rest } = config
  const lines = Object.entries({ ...rest, ...process }).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  const steps = history.map((entry) => {
    const { created_by: command = '', created, empty_layer: empty = false, comment, ...others } = entry
    const notes = [
      created ?? '',
      Object.keys(others).length > 0 ? JSON.stringify(others) : '',
      comment === undefined && command !== 'base' ? 'classic' : '',
    ]
    return `${empty ? '  ' : '+ '}${command}${notes.map((note) => note && ` | ${note}`).join('')}`
  })
  return [graphText(edge), '', ...lines, '', ...steps].join('\n')
}

function warningText({ short, url, source }: BuildWarning): string {
  return `warning: ${short}${url === '' ? '' : ` <${url}>`}${source === undefined ? '' : `\n${sourceExcerpt(source)}`}`
}

function errorText(error: unknown): string {
  if (!(error instanceof BuildError)) return `error: ${error instanceof Error ? `${error.name} ${error.message}` : String(error)}\n`
  return shorten(`error ${error.code}: ${error.message}\n${error.source === undefined ? '' : sourceExcerpt(error.source)}`)
}
