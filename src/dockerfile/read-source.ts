/**
 * Lines of a Dockerfile put together to instructions: directives, comments, continued lines, heredocs. What the instructions say is not looked at, but for
 * the question whether a heredoc may stand there. Source: moby/buildkit frontend/dockerfile/parser/parser.go.
 */

import { DirectiveReader } from './directives.ts'
import { DockerfileError } from './dockerfile-error.ts'
import { lines, wholeLine } from './ranges.ts'
import type { Heredoc } from './instructions/types.ts'
import type { TextRange } from './ranges.ts'
import type { Directive, EscapeCharacter } from './types.ts'
import { chomp, heredocWords } from './words/heredoc-word.ts'
import type { HeredocWord } from './words/heredoc-word.ts'
import { parseJsonList, splitFlags } from './words/split-words.ts'

/** Characters of a whole file: the text comes from a client. */
const MAX_TEXT = 2 * 1024 * 1024

/** Characters of a physical line, as in BuildKit. */
const MAX_LINE = 65_535

/** An instruction in one line. */
export interface RawInstruction {
  readonly keyword: string
  /** `--name=value`, quotes resolved. */
  readonly flags: readonly string[]
  /** What is behind the flags. */
  readonly rest: string
  readonly source: string
  readonly range: TextRange
  readonly comments: readonly string[]
  readonly heredocs: readonly Heredoc[]
}

export interface SourceText {
  readonly escape: EscapeCharacter
  readonly directives: readonly Directive[]
  readonly instructions: readonly RawInstruction[]
  /** Instructions with an empty line among their continued lines: the place of their last line. */
  readonly emptyContinuations: readonly TextRange[]
}

/** `escape` holds until a directive says otherwise. Throws {@link DockerfileError}. */
export function readSource(text: string, escape: EscapeCharacter = '\\'): SourceText {
  if (text.length > MAX_TEXT) throw new DockerfileError(`dockerfile greater than max allowed size of ${MAX_TEXT} characters`)
  return new SourceReader(text, escape).read()
}

/** Keyword, flags and the rest of a line. */
export function splitInstruction(line: string): { keyword: string; flags: string[]; rest: string } {
  const [, keyword = '', behind = ''] = /^(\S*)\s*(.*)$/s.exec(line.trim()) ?? []
  return { keyword, ...splitFlags(behind) }
}

class SourceReader {
  readonly #lines: readonly string[]
  readonly #directives = new DirectiveReader()
  readonly #instructions: RawInstruction[] = []
  readonly #emptyContinuations: TextRange[] = []
  #escape: EscapeCharacter
  /** Lines that have been taken: the number of the last one. */
  #taken = 0
  #comments: string[] = []

  constructor(text: string, escape: EscapeCharacter) {
    const lines = (text.startsWith('\uFEFF') ? text.slice(1) : text).split('\n')
    if (lines.at(-1) === '') lines.pop()
    this.#lines = lines
    this.#escape = escape
  }

  read(): SourceText {
    for (let line = this.#takeLine(); line !== undefined; line = this.#takeLine()) this.#readLine(line)
    return {
      escape: this.#escape,
      directives: this.#directives.directives,
      instructions: this.#instructions,
      emptyContinuations: this.#emptyContinuations,
    }
  }

  #readLine(physical: string): void {
    const line = withoutEnd(physical).trimStart()
    if (this.#readDirective(line)) return
    if (line.startsWith('#')) {
      const comment = line.slice(1).trim()
      if (comment === '') this.#comments = []
      else this.#comments.push(comment)
    } else if (line === '') this.#comments = []
    else this.#readInstruction(line, physical)
  }

  #readDirective(line: string): boolean {
    const directive = this.#directives.read(line, this.#taken)
    if (directive?.name === 'escape') {
      if (directive.value !== '\\' && directive.value !== '`') {
        throw new DockerfileError(`invalid escape token '${directive.value}' does not match \` or \\`, directive.range)
      }
      this.#escape = directive.value
    }
    return directive !== undefined
  }

  #readInstruction(firstLine: string, physical: string): void {
    const first = this.#taken
    const source = this.#joinContinued(firstLine)
    if (source === '') return
    const { keyword, flags, rest } = splitInstruction(source)
    const open = lines(first, physical, this.#taken, this.#lines[this.#taken - 1] ?? '')
    const heredocs = heredocsAllowed(keyword, rest, open) ? heredocWords(source).map((word) => this.#readHeredoc(word, open)) : []
    const range = lines(first, physical, this.#taken, this.#lines[this.#taken - 1] ?? '')
    this.#instructions.push({ keyword, flags, rest, source: source.trim(), range, comments: this.#comments, heredocs })
    this.#comments = []
  }

  /** Comments between continued lines vanish, and empty lines, too, for now. */
  #joinContinued(firstLine: string): string {
    let [text, continues] = this.#splitContinuation(firstLine)
    let hasEmptyLine = false
    while (continues) {
      const physical = this.#takeLine()
      if (physical === undefined) break
      const line = withoutEnd(physical)
      if (line.trimStart().startsWith('#')) continue
      if (line.trimStart() === '') {
        hasEmptyLine = true
        continue
      }
      const [part, more] = this.#splitContinuation(line)
      text += part
      continues = more
    }
    if (hasEmptyLine) this.#emptyContinuations.push(wholeLine(this.#taken, this.#lines[this.#taken - 1] ?? ''))
    return text
  }

  /** An escape character at the end, unless another stands in front of it, means that the line goes on. */
  #splitContinuation(line: string): [text: string, continues: boolean] {
    const trimmed = trimEnd(line, ' \t')
    const continues = trimmed.endsWith(this.#escape) && !trimmed.endsWith(this.#escape + this.#escape)
    return continues ? [trimmed.slice(0, -1), true] : [line, false]
  }

  #readHeredoc(word: HeredocWord, instruction: TextRange): Heredoc {
    const first = this.#taken + 1
    const content: string[] = []
    for (let line = this.#takeLine(); line !== undefined; line = this.#takeLine()) {
      const bare = withoutEnd(line)
      if ((word.chomp ? bare.replace(/^\t+/, '') : bare) === word.name) {
        const text = content.map((part) => `${part}\n`).join('')
        const end = { line: this.#taken, column: 1 }
        return { ...word, content: text, trimmed: word.chomp ? chomp(text) : text, range: { start: { line: first, column: 1 }, end } }
      }
      content.push(line)
    }
    throw new DockerfileError('unterminated heredoc', { start: instruction.start, end: { line: this.#taken, column: 1 } })
  }

  #takeLine(): string | undefined {
    const line = this.#lines[this.#taken]
    if (line === undefined) return undefined
    this.#taken++
    if (line.length > MAX_LINE) {
      throw new DockerfileError(`dockerfile line greater than max allowed size of ${MAX_LINE}`, wholeLine(this.#taken, ''))
    }
    return line
  }
}

const WITH_HEREDOCS: readonly string[] = ['ADD', 'COPY', 'RUN']

/** RUN, COPY, ADD, also as trigger; not in the JSON form. */
function heredocsAllowed(keyword: string, rest: string, range: TextRange): boolean {
  const name = keyword.toUpperCase()
  if (name === 'ONBUILD') {
    const inner = splitInstruction(rest)
    return WITH_HEREDOCS.includes(inner.keyword.toUpperCase()) && heredocsAllowed(inner.keyword, inner.rest, range)
  }
  if (!WITH_HEREDOCS.includes(name)) return false
  try {
    return parseJsonList(rest) === undefined
  } catch (error) {
    throw new DockerfileError((error as Error).message, range, { cause: error })
  }
}

function withoutEnd(line: string): string {
  return trimEnd(line, '\r')
}

/** Without the characters at its end. A regular expression would take quadratic time for a line of blanks with something behind them. */
function trimEnd(line: string, characters: string): string {
  let end = line.length
  while (end > 0 && characters.includes(line.charAt(end - 1))) end--
  return line.slice(0, end)
}
