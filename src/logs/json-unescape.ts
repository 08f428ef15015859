/** Values of the one-letter escapes. Source: RFC 8259, section 7. */
const SIMPLE: Record<string, number> = { '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 }

/** By byte after the backslash; 0 for none. */
const LETTERS = new Uint8Array(256)
for (const [letter, value] of Object.entries(SIMPLE)) LETTERS[letter.charCodeAt(0)] = value

const REPLACEMENT = 0xfffd

/**
 * Writes the text of a JSON string, given without its quotes, as UTF-8 into `target`, which has room for as many bytes as there are to read: no
 * escape is shorter than what it stands for. Returns the position after the last byte written. Half surrogates become U+FFFD, and a
 * backslash before anything else stays.
 */
export function unescapeJson(source: Buffer, start: number, end: number, target: Buffer, position: number): number {
  let at = start
  let out = position
  while (at < end) {
    const backslash = source.indexOf(0x5c, at)
    if (backslash < 0 || backslash >= end - 1) {
      source.copy(target, out, at, end)
      return out + end - at
    }
    source.copy(target, out, at, backslash)
    out += backslash - at
    const letter = source[backslash + 1] ?? 0
    at = backslash + 2
    const simple = LETTERS[letter] ?? 0
    if (simple !== 0) target[out++] = simple
    else if (letter === 0x75 && at + 4 <= end) {
      let code = hex4(source, at)
      at += 4
      if (code >= 0xd800 && code < 0xe000) {
        const low = code < 0xdc00 && at + 6 <= end && source[at] === 0x5c && source[at + 1] === 0x75 ? hex4(source, at + 2) : 0
        if (low >= 0xdc00 && low < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
          at += 6
        } else code = REPLACEMENT
      }
      out = writeUtf8(target, out, code)
    } else {
      target[out++] = 0x5c
      target[out++] = letter
    }
  }
  return out
}

function hex4(source: Buffer, at: number): number {
  const code = Number.parseInt(source.toString('latin1', at, at + 4), 16)
  return Number.isNaN(code) ? REPLACEMENT : code
}

function writeUtf8(target: Buffer, at: number, code: number): number {
  if (code < 0x80) {
    target[at] = code
    return at + 1
  }
  if (code < 0x800) {
    target[at] = 0xc0 | (code >> 6)
    target[at + 1] = 0x80 | (code & 0x3f)
    return at + 2
  }
  if (code < 0x10000) {
    target[at] = 0xe0 | (code >> 12)
    target[at + 1] = 0x80 | ((code >> 6) & 0x3f)
    target[at + 2] = 0x80 | (code & 0x3f)
    return at + 3
  }
  target[at] = 0xf0 | (code >> 18)
  target[at + 1] = 0x80 | ((code >> 12) & 0x3f)
  target[at + 2] = 0x80 | ((code >> 6) & 0x3f)
  target[at + 3] = 0x80 | (code & 0x3f)
  return at + 4
}
