/** First and last byte, both inclusive. */
export interface ByteRange {
  start: number
  end: number
}

/** More ranges than anybody needs are an attack on the server's arithmetic (CVE-2011-3192). */
const MAX_RANGES = 16

/**
 * Which part of `size` bytes a Range header asks for. `undefined`: all of it, also for what RFC 9110 (14.2) lets a server ignore: other units, malformed
 * ranges, several ranges that do not join. `unsatisfiable`: 416.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | undefined | 'unsatisfiable' {
  const list = /^bytes=(.*)$/i.exec(header?.trim() ?? '')?.[1]
  if (list === undefined) return undefined
  const texts = list.split(',').map((text) => text.trim())
  if (texts.length > MAX_RANGES) return undefined
  const ranges: ByteRange[] = []
  for (const text of texts) {
    const range = parseOne(text, size)
    if (range === 'malformed') return undefined
    if (range !== 'unsatisfiable') ranges.push(range)
  }
  if (ranges.length === 0) return 'unsatisfiable'
  return join(ranges)
}

function parseOne(text: string, size: number): ByteRange | 'malformed' | 'unsatisfiable' {
  const [, first = '', last = ''] = /^(\d*)-(\d*)$/.exec(text) ?? []
  if (first === '') {
    if (last === '') return 'malformed'
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'malformed'
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

/** One range when they overlap or touch. */
function join(ranges: readonly ByteRange[]): ByteRange | undefined {
  const [first, ...rest] = ranges.toSorted((a, b) => a.start - b.start)
  if (first === undefined) return undefined
  let { end } = first
  for (const range of rest) {
    if (range.start > end + 1) return undefined
    end = Math.max(end, range.end)
  }
  return { start: first.start, end }
}
