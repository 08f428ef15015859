import { rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What the engine answers to a build: `containerimage.digest`, `image.name` … */
export type ExporterResponse = Readonly<Record<string, string>>

/** Id of the image: by it `run` finds it. Empty when none was made. */
export function imageId(response: ExporterResponse): string {
  return response['containerimage.config.digest'] ?? response['containerimage.digest'] ?? ''
}

/** A file from a build before must not pass for this one's, if this one fails. Throws Error where none can be written. */
export function forgetResultFiles(files: { iidfile: string; metadata: string }): void {
  for (const path of [files.iidfile, files.metadata]) {
    if (path === '') continue
    const directory = dirname(path)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error(`invalid output path: ${path} is a directory`)
    if (statSync(directory, { throwIfNoEntry: false }) === undefined)
      throw new Error(`invalid output path: stat ${directory}: no such file or directory`)
    rmSync(path, { force: true })
  }
}

export function writeResultFiles(files: { iidfile: string; metadata: string }, response: ExporterResponse): void {
  if (files.iidfile !== '') writeFileSync(files.iidfile, imageId(response))
  if (files.metadata !== '') writeFileSync(files.metadata, `${JSON.stringify(metadata(response), undefined, 2)}\n`)
}

/** Values that are JSON in base64 are written as what they are, as buildx does. */
function metadata(response: ExporterResponse): Record<string, unknown> {
  const entries = Object.entries(response).map(([name, value]) => [name, decoded(value)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function decoded(value: string): unknown {
  const text = Buffer.from(value, 'base64').toString()
  if (!/^[[{]/.test(text)) return value
  try {
    return JSON.parse(text) as unknown
  } catch {
    return value
  }
}
