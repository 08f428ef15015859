import type { Output } from './output.ts'

const PLAIN_HEADER = ' Info -> '
const FANCY_HEADER = '\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m'
/** Columns of both. */
const HEADER_COLUMNS = 9

/** The heading of notes. */
export function noteHeader({ isTerminal }: Pick<Output, 'isTerminal'>): string {
  return isTerminal ? FANCY_HEADER : PLAIN_HEADER
}

/** A remark set apart from other output, in Docker's form; lines after the first are indented. */
export function printNote(output: Output, text: string): void {
  const flags = output.isTerminal ? text.replaceAll('--platform', '\x1b[1m--platform\x1b[0m') : text
  const lines = flags.split('\n').map((line, index) => {
    const start = index === 0 ? noteHeader(output) : ' '.repeat(HEADER_COLUMNS)
    return `${start}${output.isTerminal ? `\x1b[3m${line}\x1b[0m` : line}\n`
  })
  output.write(`\n${lines.join('')}`)
}
