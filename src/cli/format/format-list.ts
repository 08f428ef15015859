import type { Cli } from '../cli.ts'
import { alignTabs } from './tabwriter.ts'
import { TemplateError } from './template/ast.ts'
import { compileTemplate, type Template } from './template/template.ts'
import { View, type Value } from './template/values.ts'

/** How one kind of object is listed. `Row` is what the daemon sent. */
export interface ListFormat {
  /** Headings by field name. */
  headers: Readonly<Record<string, string>>
  /** The template of `table`, without the word. */
  table: string
}

const TABLE = { minWidth: 10, padding: 3 }

/**
 * Text for rows in a format: a Go template, `table TEMPLATE` for aligned columns with headings, `json`. Every row ends with a line feed.
 * Throws Error with Docker's text for a bad template.
 */
export function formatList(format: string, rows: readonly View[], headers: Readonly<Record<string, string>>): string {
  const isTable = format.startsWith('table')
  const source = isTable ? format.slice('table'.length) : format === 'json' ? '{{json .}}' : format
  const template = compileFormat(unescapeFormat(trimSpaces(source)))
  const lines = rows.map((row) => `${run(template, row)}\n`).join('')
  if (!isTable) return lines
  const heading = run(compileHeading(unescapeFormat(trimSpaces(source))), headerView(headers))
  return alignTabs(`${heading}\n${lines}`, TABLE)
}

/** Prints rows in the format the user asked for, the one of `config.json`, or the default table. */
export function printList(cli: Cli, format: string, configured: string | undefined, list: ListFormat, rows: readonly View[]): void {
  cli.stdout.write(formatList(chooseFormat(format, configured, list.table), rows, list.headers))
}

/** An empty or bare `table` format means the configured or built-in table. */
export function chooseFormat(format: string, configured: string | undefined, table: string): string {
  const chosen = format === '' ? (configured ?? '') : format
  return chosen === '' || chosen === 'table' ? `table ${table}` : chosen
}

/** Compiles a user's format; Docker puts its own words before Go's. */
export function compileFormat(source: string): Template {
  try {
    return compileTemplate(source)
  } catch (error) {
    throw error instanceof TemplateError ? new TemplateError(`template parsing error: ${error.message}`) : error
  }
}

function trimSpaces(text: string): string {
  return text.replace(/^ +| +$/g, '')
}

/** In shells it is easier to write `\t` than a tab. */
function unescapeFormat(source: string): string {
  return source.replaceAll(String.raw`\t`, '\t').replaceAll(String.raw`\n`, '\n')
}

function run(template: Template, data: Value): string {
  try {
    return template.execute(data)
  } catch (error) {
    throw error instanceof TemplateError ? new TemplateError(`template parsing error: ${error.message}`) : error
  }
}

/** For headings, functions that would change a value leave the heading alone. */
function compileHeading(source: string): Template {
  const same = (value: Value): Value => value
  return compileTemplate(source, {
    functions: { json: same, split: same, join: same, title: same, lower: same, upper: same, pad: same, truncate: same },
  })
}

/** `.Label "com.example.some-label"` has the heading `some label`. */
function headerView(headers: Readonly<Record<string, string>>): Value {
  return new HeaderMap(headers)
}

class HeaderMap extends View {
  constructor(headers: Readonly<Record<string, string>>) {
    const members: Record<string, (...args: never[]) => Value> = {
      Label: (name: string) => name.slice(name.lastIndexOf('.') + 1).replace(/[-_]/g, ' '),
    }
    for (const [name, text] of Object.entries(headers)) members[name] = () => text
    super('formatter.SubHeaderContext', members, { lenient: true })
  }
}
