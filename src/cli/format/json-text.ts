/** Re-indents JSON text without parsing it: numbers keep their digits, keys their order. Empty objects and arrays stay on one line. */
export function indentJson(text: string, prefix: string, indent: string): string {
  let out = ''
  let depth = 0
  const newline = (): string => `\n${prefix}${indent.repeat(depth)}`
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs) ?? []
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1]
    switch (token) {
      case '{':
      case '[':
        out += token
        depth++
        if (next !== '}' && next !== ']') out += newline()
        break
      case '}':
      case ']':
        depth--
        if (tokens[at - 1] !== '{' && tokens[at - 1] !== '[') out += newline()
        out += token
        break
      case ',':
        out += token + newline()
        break
      case ':':
        out += ': '
        break
      default:
        out += token
    }
  }
  return out
}

/** JSON text without blanks, as Go embeds it: numbers keep their digits, keys their order; what HTML minds is escaped. */
export function compactJson(text: string): string {
  return escapeHtml((text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs) ?? []).join(''))
}

/** A string as Go's encoder writes it. */
export function goString(text: string): string {
  return escapeHtml(JSON.stringify(text))
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
