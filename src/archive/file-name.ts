/**
 * File names are bytes on Linux and strings here. Names in UTF-8, nearly all, become plain strings. Other bytes become lone surrogates
 * U+DC80–U+DCFF (as Python's surrogateescape does), so that two different names stay different and come back as the same bytes.
 */

const SURROGATE = /[\uDC80-\uDCFF]/
const REPLACEMENT = '\uFFFD'

export function decodeName(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  // A replacement character may also be part of the name itself: only the comparison tells.
  if (!text.includes(REPLACEMENT) || Buffer.from(text, 'utf8').equals(bytes)) return text
  let name = ''
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes, i)
    name += length === 0 ? String.fromCharCode(0xdc00 + (bytes[i] ?? 0)) : bytes.toString('utf8', i, i + length)
    i += Math.max(length, 1)
  }
  return name
}

/** The bytes of a name, for a tar header. */
export function encodeName(name: string): Buffer {
  if (!SURROGATE.test(name)) return Buffer.from(name, 'utf8')
  const parts: Buffer[] = []
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character, 'utf8'))
  }
  return Buffer.concat(parts)
}

/** What to hand to `node:fs` for this path: the string itself, or its bytes where the string is no UTF-8. */
export function systemPath(path: string): string | Buffer {
  return SURROGATE.test(path) ? encodeName(path) : path
}

/** Bytes of the valid UTF-8 sequence at `index`, 0 when there is none. */
function sequenceLength(bytes: Buffer, index: number): number {
  const first = bytes[index] ?? 0
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  const sequence = bytes.subarray(index, index + length)
  return sequence.length === length && Buffer.from(sequence.toString('utf8'), 'utf8').equals(sequence) ? length : 0
}
