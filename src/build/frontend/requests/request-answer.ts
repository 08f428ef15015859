import type { SourceFile } from '../../graph/types.ts'
import type { TextRange } from '#dockerfile'

/** A request's answer in the forms that clients choose from. */
export interface RequestAnswer {
  readonly json: string
  readonly text: string
  /** Of the form of `json`. */
  readonly version: string
  /** What a client that shows the answer ends with. */
  readonly status?: string
}

/** As Go's encoder writes it: two blanks deep, and no character that HTML knows. */
export function goJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Shape of BuildKit's pb.Location. */
export function jsonLocation(range: TextRange): object {
  return { ranges: [{ start: { line: range.start.line }, end: { line: range.end.line } }] }
}

/** The Dockerfile's bytes, as Go encodes them in JSON. */
export function jsonSource(file: SourceFile): string {
  return Buffer.from(file.text).toString('base64')
}

/** Columns as wide as their widest cell and `gap` blanks; the last one is not padded. As Go's text/tabwriter writes cells that end with a tab. */
export function textTable(rows: readonly (readonly string[])[], gap: number): string {
  const columns = rows[0]?.length ?? 0
  const widths = Array.from({ length: columns - 1 }, (_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)) + gap)
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')}\n`).join('')
}
