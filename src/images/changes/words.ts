/**
 * Words of Dockerfile instructions: quotes, escapes and variables. Source: buildkit frontend/dockerfile/shell/lex.go, parser/line_parsers.go.
 */

import { invalidArgument } from '#errors'

/** Splits at blanks that are neither quoted nor escaped; quotes and escapes stay. */
export function splitWords(text: string): string[] {
  return text.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s\\])+/gs) ?? []
}

/**
 * The value of a word: quotes and escapes resolved, `$name`, `${name}`, `${name:-word}` and `${name:+word}` replaced from `env`
 * (`NAME=value`). Throws INVALID_ARGUMENT for an open quote or brace and for other modifiers.
 */
export function expandWord(word: string, env: readonly string[]): string {
  const variables = new Map(env.map((entry) => splitOnce(entry, '=')))
  let result = ''
  for (let i = 0; i < word.length;) {
    const character = word.charAt(i)
    if (character === "'") {
      const end = closing(word, "'", i)
      result += word.slice(i + 1, end)
      i = end + 1
    } else if (character === '"') {
      const end = closing(word, '"', i)
      result += expandPlain(word.slice(i + 1, end), variables, true)
      i = end + 1
    } else {
      const plain = /^(?:\\.|\\$|\$\{[^}]*\}|[^\\'"])+/s.exec(word.slice(i))?.[0] ?? character
      result += expandPlain(plain, variables, false)
      i += plain.length
    }
  }
  return result
}

function closing(word: string, quote: string, start: number): number {
  for (let i = start + 1; i < word.length; i++) {
    if (word.charAt(i) === quote) return i
    if (quote === '"' && word.charAt(i) === '\\') i++
  }
  throw invalidArgument(`unexpected end of statement while looking for matching ${quote === '"' ? 'double-quote' : 'single-quote'}`)
}

/** Escapes and variables; inside double quotes a backslash only escapes what is special there. */
function expandPlain(text: string, variables: ReadonlyMap<string, string>, quoted: boolean): string {
  return text.replaceAll(/\\(.|$)|\$\{([^}]*)(\}?)|\$([A-Za-z_][A-Za-z0-9_]*)/gs, (whole, escaped, braced, brace, name) => {
    if (escaped !== undefined) return quoted && !['"', '$', '\\'].includes(escaped) ? whole : escaped
    if (name !== undefined) return variables.get(name) ?? ''
    if (brace === '') throw invalidArgument('syntax error: missing closing brace')
    return expandBraces(braced, variables)
  })
}

function expandBraces(text: string, variables: ReadonlyMap<string, string>): string {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-+])(.*))?$/s.exec(text)
  if (match === null) throw invalidArgument(`unsupported modifier in substitution \${${text}}`)
  const [, name = '', modifier, word = ''] = match
  const value = variables.get(name) ?? ''
  if (modifier === '-') return value === '' ? word : value
  if (modifier === '+') return value === '' ? '' : word
  return value
}

/** Both sides of the first `separator`; the second is empty when there is none. */
export function splitOnce(text: string, separator: string): [string, string] {
  const position = text.indexOf(separator)
  return position < 0 ? [text, ''] : [text.slice(0, position), text.slice(position + separator.length)]
}
