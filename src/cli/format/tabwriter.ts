/** Settings of Go's text/tabwriter; Docker's tables use `{ minWidth: 10, padding: 3 }`. */
export interface TabOptions {
  /** Narrowest column, padding included. */
  minWidth: number
  padding: number
}

/**
 * Aligns tab-terminated cells. As in Go, a column is a run of neighbouring lines that all have a cell there, so a line without tabs ends
 * every column, and the last cell of a line belongs to none. Widths are counted in characters. Padding is always spaces.
 */
export function alignTabs(text: string, options: TabOptions): string {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const widths = lines.map((cells) => Array.from<number>({ length: cells.length - 1 }))
  for (let start = 0; start < lines.length; start++) {
    for (let column = 0; column < (widths[start]?.length ?? 0); column++) {
      if (widths[start]?.[column] !== undefined) continue
      let end = start
      while ((widths[end]?.length ?? 0) > column && sameRun(widths, start, end, column)) end++
      const block = lines.slice(start, end).map((cells) => cellWidth(cells[column] ?? ''))
      const width = Math.max(options.minWidth, ...block.map((cell) => cell + options.padding))
      for (let line = start; line < end; line++) {
        const row = widths[line]
        if (row !== undefined) row[column] = width
      }
    }
  }
  return lines.map((cells, line) => cells.map((cell, at) => pad(cell, widths[line]?.[at])).join('')).join('\n')
}

/** A block of a column lies inside one block of the column before it. */
function sameRun(widths: (number | undefined)[][], start: number, end: number, column: number): boolean {
  for (let line = start; line <= end; line++) if ((widths[line]?.length ?? 0) <= column) return false
  return true
}

function pad(cell: string, width: number | undefined): string {
  return width === undefined ? cell : cell + ' '.repeat(Math.max(0, width - cellWidth(cell)))
}

function cellWidth(cell: string): number {
  return Array.from(cell).length
}
