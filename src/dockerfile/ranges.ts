/** Lines and columns count from 1; columns are UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** `end` is behind the last character; its line is still part of the range. */
export interface TextRange {
  readonly start: Position
  readonly end: Position
}

/** A physical line from its first character that is not blank. */
export function wholeLine(number: number, line: string): TextRange {
  return lines(number, line, number, line)
}

/** From the first character that is not blank of one physical line to the end of another. */
export function lines(first: number, firstLine: string, last: number, lastLine: string): TextRange {
  const column = firstLine.length - firstLine.trimStart().length + 1
  return { start: { line: first, column }, end: { line: last, column: lastLine.length - (lastLine.endsWith('\r') ? 1 : 0) + 1 } }
}
