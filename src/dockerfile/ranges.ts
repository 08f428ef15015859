import type { TextRange } from './types.ts'

/** A physical line from its first character that is not blank. */
export function wholeLine(number: number, line: string): TextRange {
  return lines(number, line, number, line)
}

/** From the first character that is not blank of one physical line to the end of another. */
export function lines(first: number, firstLine: string, last: number, lastLine: string): TextRange {
  const column = firstLine.length - firstLine.trimStart().length + 1
  return { start: { line: first, column }, end: { line: last, column: lastLine.replace(/[\r\n]+$/, '').length + 1 } }
}
