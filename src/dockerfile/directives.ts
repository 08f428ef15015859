/** `# name=value` in the first lines. Source: moby/buildkit frontend/dockerfile/parser/directives.go. */

import { parseJson } from '#lib'
import { DockerfileError } from './dockerfile-error.ts'
import { wholeLine } from './ranges.ts'
import type { Directive, DirectiveName } from './types.ts'

const NAMES: readonly string[] = ['syntax', 'escape', 'check'] satisfies DirectiveName[]

/** Reads directives until a line is none; then no later line is. Each may stand once. */
export class DirectiveReader {
  readonly directives: Directive[] = []
  readonly #comment: string
  #done = false

  constructor(comment: '#' | '//' = '#') {
    this.#comment = comment
  }

  /** Whether the line is a directive. Blanks in front of it are the caller's. Throws {@link DockerfileError} for a repeated one. */
  read(line: string, number: number): Directive | undefined {
    if (this.#done) return undefined
    const match = line.startsWith(this.#comment) ? /^\s*([a-z][a-z0-9]*)\s*=\s*(.+)$/i.exec(line.slice(this.#comment.length).trim()) : null
    const name = match?.[1]?.toLowerCase() ?? ''
    if (match === null || !NAMES.includes(name)) {
      this.#done = true
      return undefined
    }
    const range = wholeLine(number, line)
    if (this.directives.some((directive) => directive.name === name)) {
      throw new DockerfileError(`only one ${name} parser directive can be used`, range)
    }
    const directive: Directive = { name: name as DirectiveName, value: match[2] ?? '', range }
    this.directives.push(directive)
    return directive
  }

  get done(): boolean {
    return this.#done
  }
}

/**
 * The frontend that a text wants: `# syntax=reference options`, the same behind `//`, or a member `syntax` of a JSON text; behind a first line `#!…`.
 * `value` is all of it, `reference` its first word. undefined: nothing is said.
 */
export function detectSyntax(text: string): { reference: string; value: string; line: number } | undefined {
  const clean = text.startsWith('\uFEFF') ? text.slice(1) : text
  const shebang = /^#!.*(?:\n|$)/.exec(clean)?.[0] ?? ''
  const body = clean.slice(shebang.length)
  const firstLine = shebang === '' ? 1 : 2
  const found = syntaxIn(body, firstLine, '#') ?? syntaxIn(body, firstLine, '//') ?? syntaxOfJson(body, firstLine)
  return found && { reference: found.value.split(' ')[0] ?? '', ...found }
}

function syntaxIn(body: string, firstLine: number, comment: '#' | '//'): { value: string; line: number } | undefined {
  const reader = new DirectiveReader(comment)
  for (let start = 0, line = firstLine; start < body.length && !reader.done; line++) {
    const newline = body.indexOf('\n', start)
    const end = newline < 0 ? body.length : newline
    try {
      const directive = reader.read(body.slice(start, end).trim(), line)
      if (directive?.name === 'syntax') return { value: directive.value, line }
    } catch {
      return undefined // a repeated directive: the parser says so
    }
    start = end + 1
  }
  return undefined
}

function syntaxOfJson(body: string, line: number): { value: string; line: number } | undefined {
  if (!/^\s*\{/.test(body)) return undefined
  try {
    const json: unknown = parseJson(Buffer.from(body), { maxBytes: 1 << 20, maxDepth: 64 })
    if (json === null || typeof json !== 'object' || !('syntax' in json)) return undefined
    return typeof json.syntax === 'string' ? { value: json.syntax, line } : undefined
  } catch {
    return undefined // not JSON: then nothing is said
  }
}
