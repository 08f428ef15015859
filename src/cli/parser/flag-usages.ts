import type { Flag, FlagTable } from './flag.ts'

/**
 * The flags of a help page, aligned and wrapped to `columns` (0: no wrapping), one line feed behind each line. Layout and wrapping are
 * pflag's: the text column starts behind the longest flag, and is given up when fewer than 24 columns would be left for it.
 */
export function flagUsages(table: FlagTable, columns: number): string {
  const visible = Object.entries(table).filter(([, flag]) => isVisible(flag))
  const rows = visible
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => ({ left: leftColumn(name, flag), right: rightColumn(flag) }))
  const width = Math.max(0, ...rows.map((row) => row.left.length))
  // Two spaces separate the columns beside the one that pads the longest flag.
  return rows.map(({ left, right }) => `${left}${' '.repeat(width - left.length + 3)}${wrap(width + 3, columns, right)}\n`).join('')
}

function isVisible(flag: Flag<unknown>): boolean {
  return flag.hidden !== true && flag.deprecated === undefined && flag.osType !== 'windows' && flag.experimental !== true
}

function leftColumn(name: string, flag: Flag<unknown>): string {
  const short = flag.short === undefined ? '      ' : `  -${flag.short}, `
  return `${short}--${name}${flag.kind === '' ? '' : ` ${flag.kind}`}`
}

function rightColumn(flag: Flag<unknown>): string {
  return flag.defaultText === undefined ? flag.help : `${flag.help} (default ${flag.defaultText})`
}

/** Text wrapped at `columns`, continuation lines indented by `indent`. */
function wrap(indent: number, columns: number, text: string): string {
  const prefix = `\n${' '.repeat(indent)}`
  if (columns === 0) return text.replaceAll('\n', prefix)
  let width = columns - indent
  let result = ''
  let continuation = prefix
  if (width < 24) {
    // Too narrow for two columns: the text goes below the flag.
    width = columns - 16
    continuation = `\n${' '.repeat(16)}`
    result = continuation
  }
  if (width < 24) return text.replaceAll('\n', continuation)
  // Five columns of slack keep short words from being moved to a line of their own.
  width -= 5
  let [line, rest] = takeLine(width, 5, text)
  result += line.replaceAll('\n', continuation)
  while (rest !== '') {
    ;[line, rest] = takeLine(width, 5, rest)
    result += continuation + line.replaceAll('\n', continuation)
  }
  return result
}

/** Cuts the first `width` columns (or `width + slop` when the rest ends there) at white space. */
function takeLine(width: number, slop: number, text: string): [string, string] {
  if (width + slop > text.length) return [text, '']
  const at = Math.max(...[' ', '\t', '\n'].map((space) => text.slice(0, width).lastIndexOf(space)))
  if (at <= 0) return [text, '']
  const newline = text.slice(0, at).lastIndexOf('\n')
  if (newline > 0) return [text.slice(0, newline), text.slice(newline + 1)]
  return [text.slice(0, at), text.slice(at + 1)]
}
