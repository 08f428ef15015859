import { TemplateError } from './ast.ts'

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'variable'
  | 'word'
  | 'dot'
  | 'string'
  | 'number'
  | 'char'
  | 'punctuation'

export interface Token {
  kind: TokenKind
  text: string
  at: number
}

const ACTION_TOKENS: readonly [TokenKind, RegExp][] = [
  ['space', /\s+/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)/y],
  ['dot', /\./y],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.[^']*)'/y],
  ['punctuation', /:=|[=|(),]/y],
]

/** Cuts a template into text and the tokens of its actions; `{{-` and `-}}` trim the text beside them, comments vanish. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let trimNext = false
  while (at < source.length) {
    const open = source.indexOf('{{', at)
    const trimsBefore = open >= 0 && /^-\s/.test(source.slice(open + 2, open + 4))
    let text = open < 0 ? source.slice(at) : source.slice(at, open)
    if (trimNext) text = text.trimStart()
    if (trimsBefore) text = text.trimEnd()
    if (text !== '') tokens.push({ kind: 'text', text, at })
    if (open < 0) break
    const start = open + 2 + (trimsBefore ? 2 : 0)
    const comment = /^\s*\/\*[\s\S]*?\*\/(\s-)?\}\}/.exec(source.slice(start))
    if (comment !== null) {
      at = start + comment[0].length
      trimNext = comment[1] !== undefined
      continue
    }
    tokens.push({ kind: 'open', text: '{{', at: open })
    ;[at, trimNext] = lexAction(source, start, tokens)
  }
  return tokens
}

/** The tokens up to `}}`; returns where the text goes on and whether it is trimmed. */
function lexAction(source: string, start: number, tokens: Token[]): [number, boolean] {
  let at = start
  for (;;) {
    if (at >= source.length) throw new TemplateError(`template: :${lineOf(source, source.length)}: unclosed action`)
    if (source.startsWith('}}', at)) {
      tokens.push({ kind: 'close', text: '}}', at })
      return [at + 2, false]
    }
    if (/^\s-\}\}/.test(source.slice(at, at + 4))) {
      tokens.push({ kind: 'close', text: '}}', at })
      return [at + 4, true]
    }
    const token = nextToken(source, at)
    if (token === undefined) throw new TemplateError(`template: :${lineOf(source, at)}: ${badCharacter(source, at)}`)
    tokens.push(token)
    at += token.text.length
  }
}

function nextToken(source: string, at: number): Token | undefined {
  for (const [kind, pattern] of ACTION_TOKENS) {
    pattern.lastIndex = at
    let text = pattern.exec(source)?.[0]
    if (text === undefined) continue
    // White space in front of a trim marker belongs to the marker.
    if (kind === 'space' && source.startsWith('-}}', at + text.length)) text = text.slice(0, -1)
    if (text !== '') return { kind, text, at }
  }
  return undefined
}

function badCharacter(source: string, at: number): string {
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0)
  if (character === '"') return 'unterminated quoted string'
  if (character === '`') return 'unterminated raw quoted string'
  const code = (source.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `bad character U+${code} '${character}'`
}

/** Line number of an offset, from one. */
export function lineOf(source: string, at: number): number {
  return source.slice(0, at).split('\n').length
}
