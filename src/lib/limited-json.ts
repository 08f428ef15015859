import { LimitExceededError } from './read-limited.ts'

export interface JsonLimits {
  /** Bytes of UTF-8 text. */
  maxBytes: number
  /** Nesting of arrays and objects; `{}` has depth 1. */
  maxDepth: number
}

/**
 * JSON.parse for text from outside. Throws {@link LimitExceededError} for too much text, RangeError for too deep a nesting (checked before
 * parsing: code that walks the value recursively would overflow its stack), SyntaxError for malformed text.
 */
export function parseJson(text: string | Buffer, limits: JsonLimits): unknown {
  const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length
  if (length > limits.maxBytes) throw new LimitExceededError('JSON text', limits.maxBytes)
  const source = typeof text === 'string' ? text : text.toString('utf8')
  if (nesting(source, limits.maxDepth) > limits.maxDepth) throw new RangeError(`JSON text is nested deeper than ${limits.maxDepth}`)
  return JSON.parse(source) as unknown
}

/** Deepest bracket outside strings; stops looking once `enough` is passed. */
function nesting(source: string, enough: number): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < source.length; at++) {
    const code = source.charCodeAt(at)
    if (inString) {
      if (code === 0x5c) at++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b || code === 0x5b) {
      depth++
      if (depth > deepest) deepest = depth
      if (deepest > enough) return deepest
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return deepest
}
