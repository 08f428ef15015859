import { TemplateError, type Command, type Node, type Operand, type Pipe } from './ast.ts'
import { lineOf, tokenize, type Token } from './lexer.ts'

const LITERALS: Record<string, boolean | null> = { true: true, false: false, nil: null }

/** Parses a Go template: the part that output formats use, without `define`, `template` and `block`. Throws TemplateError. */
export function parseTemplate(source: string, isFunction: (name: string) => boolean): Node[] {
  const parser = new TemplateParser(source, isFunction)
  const [nodes, end] = parser.list()
  if (end !== undefined) throw parser.error(end, `unexpected {{${end.text}}}`)
  return nodes
}

class TemplateParser {
  readonly #source: string
  readonly #tokens: Token[]
  readonly #isFunction: (name: string) => boolean
  readonly #variables: string[] = ['$']
  #at = 0

  constructor(source: string, isFunction: (name: string) => boolean) {
    this.#source = source
    this.#tokens = tokenize(source)
    this.#isFunction = isFunction
  }

  /** Nodes up to the end, or to the `end` or `else` that closes them, which is returned (its `}}` is still ahead for `else`). */
  list(): [Node[], Token | undefined] {
    const nodes: Node[] = []
    for (;;) {
      const token = this.#tokens[this.#at++]
      if (token === undefined) return [nodes, undefined]
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text })
        continue
      }
      this.#space()
      const word = this.#peek()
      if (word.kind === 'word' && (word.text === 'end' || word.text === 'else')) {
        this.#at++
        return [nodes, word]
      }
      nodes.push(this.#statement(word))
    }
  }

  error(token: Token | undefined, message: string): TemplateError {
    return new TemplateError(`template: :${lineOf(this.#source, token?.at ?? this.#source.length)}: ${message}`)
  }

  #statement(word: Token): Node {
    if (word.kind === 'word') {
      switch (word.text) {
        case 'if':
        case 'with':
        case 'range':
          this.#at++
          return this.#control(word.text)
        case 'break':
        case 'continue':
          this.#at++
          this.#close(word.text)
          return { kind: word.text }
        case 'define':
        case 'template':
        case 'block':
          throw this.error(word, `unexpected {{${word.text}}}: not supported in formats`)
      }
    }
    const pipe = this.#pipe('command')
    this.#close('command')
    return { kind: 'action', pipe }
  }

  #control(kind: 'if' | 'with' | 'range'): Node {
    const outer = this.#variables.length
    const pipe = this.#pipe(kind, kind === 'range')
    this.#close(kind)
    const [body, stop] = this.list()
    if (stop === undefined) throw this.error(undefined, 'unexpected EOF')
    let otherwise: Node[] = []
    if (stop.text === 'else') {
      this.#space()
      const next = this.#peek()
      if (next.kind === 'word' && next.text === kind && kind !== 'range') {
        // `else if`: the inner control takes our `end`.
        this.#at++
        otherwise = [this.#control(kind)]
      } else {
        this.#close('else')
        const [rest, end] = this.list()
        if (end === undefined) throw this.error(undefined, 'unexpected EOF')
        if (end.text === 'else') throw this.error(end, 'expected end; found {{else}}')
        this.#close('end')
        otherwise = rest
      }
    } else this.#close('end')
    this.#variables.length = outer
    return { kind, pipe, body, otherwise }
  }

  #pipe(context: string, twoVariables = false): Pipe {
    this.#space()
    const { variables, assigns } = this.#declaration(twoVariables)
    const commands: Command[] = []
    for (;;) {
      this.#space()
      const token = this.#peek()
      if (token.kind === 'close' || token.text === ')') {
        if (commands.length === 0) throw this.error(token, `missing value for ${context}`)
        break
      }
      commands.push(this.#command())
      this.#space()
      if (this.#peek().text !== '|') break
      this.#at++
      this.#space()
    }
    for (const [index, command] of commands.entries()) {
      const first = command.operands[0]
      if (index > 0 && first?.kind === 'literal') {
        throw this.error(this.#peek(), `non executable command in pipeline stage ${index + 1}`)
      }
    }
    return { variables, assigns, commands }
  }

  /** `$x :=`, `$x =`, `$i, $x :=` in front of a pipeline. */
  #declaration(twoVariables: boolean): { variables: string[]; assigns: boolean } {
    const start = this.#at
    const names: string[] = []
    for (;;) {
      const token = this.#peek()
      if (token.kind !== 'variable') break
      this.#at++
      names.push(token.text)
      this.#space()
      if (!twoVariables || names.length === 2 || this.#peek().text !== ',') break
      this.#at++
      this.#space()
    }
    const operator = this.#peek()
    if (names.length === 0 || (operator.text !== ':=' && operator.text !== '=')) {
      this.#at = start
      return { variables: [], assigns: false }
    }
    this.#at++
    if (operator.text === ':=') this.#variables.push(...names)
    return { variables: names, assigns: operator.text === '=' }
  }

  #command(): Command {
    const operands: Operand[] = []
    const { at } = this.#peek()
    for (;;) {
      this.#space()
      const token = this.#peek()
      if (token.kind === 'close' || token.text === '|' || token.text === ')') break
      operands.push(this.#operand())
    }
    return { operands, at, text: this.#source.slice(at, this.#tokens[this.#at]?.at).trim() }
  }

  #operand(): Operand {
    const token = this.#peek()
    this.#at++
    const { at } = token
    switch (token.kind) {
      case 'dot':
        return { kind: 'dot', at, text: '.' }
      case 'string':
        return { kind: 'literal', value: unquote(token.text), at, text: token.text }
      case 'number':
        return { kind: 'literal', value: Number(token.text), at, text: token.text }
      case 'char':
        return { kind: 'literal', value: unquote(`"${token.text.slice(1, -1)}"`).codePointAt(0) ?? 0, at, text: token.text }
      case 'field': {
        const names = this.#fields(token)
        const text = names.map((name) => `.${name}`).join('')
        // Go gives a chain the position of its second link.
        return { kind: 'field', names, at: names.length > 1 ? at + token.text.length : at, text }
      }
      case 'variable': {
        if (!this.#variables.includes(token.text)) throw this.error(token, `undefined variable ${JSON.stringify(token.text)}`)
        const names = this.#fields()
        return { kind: 'variable', name: token.text, names, at, text: [token.text, ...names].join('.') }
      }
      case 'word':
        return this.#word(token)
      default:
        if (token.text === '(') return this.#group(at)
        throw this.error(token, `unexpected ${JSON.stringify(token.text)} in operand`)
    }
  }

  #word(token: Token): Operand {
    const literal = LITERALS[token.text]
    if (literal !== undefined) return { kind: 'literal', value: literal, at: token.at, text: token.text }
    if (!this.#isFunction(token.text)) throw this.error(token, `function ${JSON.stringify(token.text)} not defined`)
    return { kind: 'function', name: token.text, at: token.at, text: token.text }
  }

  #group(at: number): Operand {
    const pipe = this.#pipe('parenthesized pipeline')
    this.#space()
    const end = this.#peek()
    if (end.text !== ')') throw this.error(end, 'unclosed left paren')
    this.#at++
    const names = this.#fields()
    return { kind: 'group', pipe, names, at, text: this.#source.slice(at, end.at + 1) }
  }

  #fields(first?: Token): string[] {
    const names = first === undefined ? [] : [first.text.slice(1)]
    while (this.#tokens[this.#at]?.kind === 'field') names.push(this.#tokens[this.#at++]?.text.slice(1) ?? '')
    return names
  }

  #close(context: string): void {
    this.#space()
    const token = this.#peek()
    if (token.kind !== 'close') throw this.error(token, `unexpected ${JSON.stringify(token.text)} in ${context}`)
    this.#at++
  }

  #space(): void {
    while (this.#tokens[this.#at]?.kind === 'space') this.#at++
  }

  #peek(): Token {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw this.error(undefined, 'unexpected EOF')
    return token
  }
}

/** Go string literals: raw in back quotes, else with Go's escapes. */
function unquote(literal: string): string {
  if (literal.startsWith('`')) return literal.slice(1, -1)
  return literal
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g, (_, x, u, big, octal, plain) => {
      const hex: string | undefined = x ?? u ?? big
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal as string, 8))
      return SIMPLE_ESCAPES[plain as string] ?? (plain as string)
    })
}

const SIMPLE_ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }
