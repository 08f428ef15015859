import type { Cli } from '../cli.ts'
import { indentJson } from './json-text.ts'
import { TemplateError } from './template/ast.ts'
import { NIL_SLICE } from './template/values.ts'
import { compileTemplate, type Template } from './template/template.ts'

/** Fields that are maps in Docker's Go types; every other object is a struct, which templates show without names. */
const MAP_FIELDS = new Set([
  'Annotations',
  'AuxiliaryAddresses',
  'Containers',
  'Data',
  'DriverOpts',
  'ExposedPorts',
  'IndexConfigs',
  'Labels',
  'Networks',
  'Options',
  'PortBindings',
  'Ports',
  'Runtimes',
  'StorageOpt',
  'Subnets',
  'Sysctls',
  'Tmpfs',
  'Volumes',
])

/** Fields that Docker's structs have although they are left out of the JSON when they are empty. */
const OPTIONAL_FIELDS: Readonly<Record<string, unknown>> = {
  Annotations: null,
  ExposedPorts: null,
  Health: null,
  Healthcheck: null,
  Init: null,
  Mounts: [],
  Name: '',
  Driver: '',
  OnBuild: null,
  Shell: null,
  SizeRootFs: null,
  SizeRw: null,
  StopSignal: '',
  StopTimeout: null,
  StorageOpt: null,
  Sysctls: null,
  Tmpfs: null,
  UsageData: null,
  Status: null,
  VolumeOptions: null,
  BindOptions: null,
  TmpfsOptions: null,
}

/** One object of `inspect`: the daemon's text, or why there is none. */
export type Inspected = { text: string } | { error: string }

/**
 * Prints what was found, in the daemon's own order and precision, or through a template; then the errors. Resolves with the status.
 * Throws Error for a bad template.
 */
export function printInspected(cli: Cli, format: string, results: readonly Inspected[]): number {
  const template = format === '' || format === 'json' ? undefined : compileInspect(format)
  const texts = results.flatMap((result) => ('text' in result ? [result.text] : []))
  const errors = results.flatMap((result) => ('error' in result ? [result.error] : []))
  if (format === 'json') cli.print(`[${texts.map((text) => JSON.stringify(JSON.parse(text))).join(',')}]`)
  else cli.stdout.write(template === undefined ? arrayText(texts) : texts.map((text) => render(cli, template, text)).join(''))
  if (errors.length === 0) return 0
  cli.warn(errors.join('\n'))
  return 1
}

function arrayText(texts: readonly string[]): string {
  if (texts.length === 0) return '[]\n'
  return `[\n${texts.map((text) => `    ${indentJson(text, '    ', '    ')}`).join(',\n')}\n]\n`
}

function compileInspect(format: string): Template {
  try {
    return compileTemplate(format, {
      missing: 'map error',
      absentField: (name) => OPTIONAL_FIELDS[name],
    })
  } catch (error) {
    throw error instanceof TemplateError ? new Error(`template parsing error: ${error.message}`, { cause: error }) : error
  }
}

function render(cli: Cli, template: Template, text: string): string {
  try {
    return `${template.execute(goValue(JSON.parse(text), ''))}\n`
  } catch (error) {
    cli.print('')
    throw error instanceof TemplateError ? new Error(`template parsing error: ${error.message}`, { cause: error }) : error
  }
}

/** Turns the objects that are Go maps into Maps. `name` is the field that holds the value. */
export function goValue(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((item) => goValue(item, ''))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [key, goValue(item, key)] as const)
  if (name === 'Ports') return new Map(entries.map(([key, item]) => [key, item ?? NIL_SLICE]))
  return MAP_FIELDS.has(name) ? new Map(entries) : Object.fromEntries(entries)
}
