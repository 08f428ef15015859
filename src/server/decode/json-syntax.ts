/**
 * Says what is wrong with a JSON text in the words of Go's `encoding/json`, which users and tests of Docker know. Runs only after
 * `JSON.parse` has refused the text, so it may be slow; it is linear and does not recurse. Source: Go `encoding/json/scanner.go`.
 */

/** Go's own limit. A deeper text would make any recursive consumer overflow its stack. */
export const MAX_JSON_DEPTH = 10_000

/** Message as Go would give it. */
export function describeJsonError(text: string): string {
  return scanValue(text).error ?? 'unexpected end of JSON input'
}

/** Whether `text` is a complete JSON value followed by something else: Docker refuses that with a text of its own. */
export function hasTrailingContent(text: string): boolean {
  const { error, end } = scanValue(text)
  return error === undefined && end < text.length && text.slice(end).trim() !== ''
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const LITERAL = /true|false|null/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\r\n]*/y

/** Scans one value from the start; either the position behind it, or Go's complaint. */
function scanValue(text: string): { error?: string; end: number } {
  const open: ('{' | '[')[] = []
  let position = skip(text, SPACE, 0)
  let expect: 'value' | 'key' | 'first-key' | 'first-element' | 'colon' | 'comma' = 'value'

  for (;;) {
    if (expect === 'comma' && open.length === 0) return { end: position }
    position = skip(text, SPACE, position)
    const char = text[position]
    if (char === undefined) return { error: 'unexpected EOF', end: position }
    const bad = (context: string): { error: string; end: number } => ({
      error: `invalid character ${quoteRune(text, position)} ${context}`,
      end: position,
    })

    if (expect === 'comma') {
      const top = open.at(-1)
      if (char === ',') expect = top === '{' ? 'key' : 'value'
      else if (char === (top === '{' ? '}' : ']')) open.pop()
      else return bad(top === '{' ? 'after object key:value pair' : 'after array element')
      position++
    } else if (expect === 'colon') {
      if (char !== ':') return bad('after object key')
      expect = 'value'
      position++
    } else if (expect === 'key' || expect === 'first-key') {
      if (char === '}' && expect === 'first-key') {
        open.pop()
        expect = 'comma'
        position++
        continue
      }
      if (char !== '"') return bad('looking for beginning of object key string')
      const end = skip(text, STRING, position)
      if (end === position) return badString(text, position)
      position = end
      expect = 'colon'
    } else if (char === '{' || char === '[') {
      open.push(char)
      if (open.length > MAX_JSON_DEPTH) return { error: 'exceeded max depth', end: position }
      expect = char === '{' ? 'first-key' : 'first-element'
      position++
    } else if (char === ']' && expect === 'first-element') {
      open.pop()
      expect = 'comma'
      position++
    } else {
      const end = skip(text, char === '"' ? STRING : /[-\d]/.test(char) ? NUMBER : LITERAL, position)
      if (end === position) {
        if (char === '"') return badString(text, position)
        const partial = /^(?:t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?)$/.test(text.slice(position))
        return partial ? { error: 'unexpected EOF', end: text.length } : bad('looking for beginning of value')
      }
      position = end
      expect = 'comma'
    }
  }
}

function badString(text: string, start: number): { error: string; end: number } {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') {
      if (index + 1 >= text.length) break
      if (!/["\\/bfnrtu]/.test(text[index + 1] ?? '')) {
        return { error: `invalid character ${quoteRune(text, index + 1)} in string escape code`, end: index + 1 }
      }
      index++
    } else if (text.charCodeAt(index) < 0x20) {
      return { error: `invalid character ${quoteRune(text, index)} in string literal`, end: index }
    }
  }
  return { error: 'unexpected EOF', end: text.length }
}

function skip(text: string, pattern: RegExp, position: number): number {
  pattern.lastIndex = position
  return pattern.exec(text) === null ? position : pattern.lastIndex
}

function quoteRune(text: string, position: number): string {
  const rune = String.fromCodePoint(text.codePointAt(position) ?? 0xfffd)
  if (rune === "'") return `'\\''`
  if (rune === '"') return `'"'`
  return `'${JSON.stringify(rune).slice(1, -1)}'`
}
