import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DELETE_ANYWHERE, replacesDirectory } from './delete-mode.ts'
import { parseFields } from './key-value-option.ts'

/** Where a build's result goes. */
export interface BuildOutput {
  /** As the engine calls the exporter. */
  type: string
  attributes: Record<string, string>
  /** Of exporters that send files: where these go. */
  destination?: { kind: 'stdout' } | { kind: 'file'; path: string } | DirectoryDestination
}

export interface DirectoryDestination {
  kind: 'directory'
  path: string
  /** What is in it goes, unless it is part of the result. */
  isReplaced?: boolean
}

/** What of `BUILD_FLAGS` decides about outputs. */
export interface OutputFlags {
  output: readonly string[]
  load: boolean
  push: boolean
  tag: readonly string[]
  annotation: readonly string[]
  allow: readonly string[]
}

/** Exporters that give one archive; without `dest` it goes to standard output. */
const ARCHIVES = new Set(['tar', 'oci', 'docker'])

/** All outputs; an image in the engine's store when nothing else was asked for. Throws Error with buildx's texts. */
export function buildOutputs(flags: OutputFlags, options: { stdoutIsTerminal: boolean }): BuildOutput[] {
  const outputs = flags.output.filter((text) => text !== '').map(parseOutput)
  if (flags.push && flags.load) throw new Error('push and load may not be set together at the moment')
  if (flags.push) pushAll(outputs)
  if (flags.load && !outputs.some(({ type }) => type === 'moby')) outputs.push({ type: 'moby', attributes: {} })
  if (outputs.length === 0) outputs.push({ type: 'moby', attributes: {} })
  for (const output of outputs) {
    if (output.destination?.kind === 'stdout' && options.stdoutIsTerminal)
      throw new Error(`refusing to write ${output.type} output to console: dest file is required for ${output.type} exporter`)
    checkDestination(output)
    const { type, destination, attributes } = output
    if (type === 'local' && destination?.kind === 'directory')
      destination.isReplaced = replacesDirectory(attributes['mode'], destination.path, flags.allow.includes(DELETE_ANYWHERE))
    if (output.attributes['name'] === undefined && flags.tag.length > 0) output.attributes['name'] = flags.tag.join(',')
    Object.assign(output.attributes, annotations(flags.annotation))
  }
  if (flags.push && flags.tag.length === 0 && outputs.every(({ attributes }) => attributes['name'] === undefined))
    throw new Error('tag is needed when pushing to registry')
  return outputs
}

/** So that no long build ends in nothing. */
function checkDestination({ destination }: BuildOutput): void {
  if (destination === undefined || destination.kind === 'stdout') return
  const { kind, path } = destination
  const found = statSync(path, { throwIfNoEntry: false })
  if (kind === 'directory' && found?.isDirectory() === false) throw new Error(`destination directory ${path} is a file`)
  if (kind === 'file' && found?.isDirectory() === true) throw new Error(`failed to open ${path}: is a directory`)
  if (kind === 'file' && statSync(dirname(path), { throwIfNoEntry: false }) === undefined)
    throw new Error(`failed to open ${path}: no such file or directory`)
}

function pushAll(outputs: BuildOutput[]): void {
  const images = outputs.filter(({ type }) => type === 'moby')
  if (images.length === 0) outputs.push({ type: 'moby', attributes: { push: 'true' } })
  for (const image of images) image.attributes['push'] = 'true'
}

/** `-`, `path`, or `type=…,dest=…`. */
export function parseOutput(text: string): BuildOutput {
  if (text === '-') return { type: 'tar', attributes: {}, destination: { kind: 'stdout' } }
  if (!text.includes('=') && !text.includes(','))
    return { type: 'local', attributes: {}, destination: { kind: 'directory', path: resolve(text) } }
  const { dest, type = dest === undefined ? '' : 'local', ...attributes } = Object.fromEntries(parseFields(text))
  if (type === '') throw new Error('type is required for output')
  switch (type) {
    case 'local':
      if (dest === undefined || dest === '') throw new Error('dest is required for local output')
      return { type, attributes, destination: { kind: 'directory', path: resolve(dest) } }
    case 'image':
      return { type: 'moby', attributes: without(dest, type, attributes) }
    case 'registry':
      return { type: 'moby', attributes: { ...without(dest, type, attributes), push: 'true' } }
    case 'cacheonly':
      return { type: 'none', attributes }
    case 'docker':
      // Without a place to go it is the engine's own store.
      if (dest === undefined || dest === '') return { type: 'moby', attributes }
  }
  if (!ARCHIVES.has(type)) throw new Error(`unsupported output type: ${type}`)
  if (attributes['tar'] === 'false') {
    if (dest === undefined || dest === '') throw new Error(`dest is required for ${type} output without tar`)
    return { type, attributes, destination: { kind: 'directory', path: resolve(dest) } }
  }
  const destination =
    dest === undefined || dest === '' || dest === '-' ? ({ kind: 'stdout' } as const) : ({ kind: 'file', path: resolve(dest) } as const)
  return { type, attributes, destination }
}

function without(dest: string | undefined, type: string, attributes: Record<string, string>): Record<string, string> {
  if (dest !== undefined) throw new Error(`dest is not supported for ${type} output`)
  return attributes
}

/** `key=value` for the manifest; `index:key=value`, `manifest[linux/amd64]:key=value` … for other documents. */
export function annotations(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((text) => {
      const match =
        /^(?:(?<kind>index|manifest|index-descriptor|manifest-descriptor)(?<platform>\[[^\]]+\])?:)?(?<key>[^=]+)=(?<value>.*)$/s.exec(text)
      if (match?.groups === undefined) throw new Error(`invalid annotation "${text}", expected key=value`)
      const { kind, platform = '', key = '', value = '' } = match.groups
      const prefix = kind === undefined ? 'annotation' : `annotation-${kind}`
      return [`${prefix}${platform}.${key}`, value]
    }),
  )
}
