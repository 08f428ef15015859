/** Lines of context that are shown with a range, in all; a single line gets more. */
const CONTEXT = { range: 2, line: 4 }
const RULE = '--------------------'

/**
 * The lines of a Dockerfile that an error is about, as buildx prints them; empty when the range is outside the file.
 *
 * ```
 * Dockerfile:2
 * --------------------
 *    1 |     FROM alpine
 *    2 | >>> RUN exit 3
 *    3 |
 * --------------------
 * ```
 */
export function sourceExcerpt({ file, start, end }: { file: { name: string; text: string }; start: number; end: number }): string {
  const lines = file.text.split('\n')
  if (start < 1 || start > lines.length) return ''
  const last = Math.min(Math.max(start, end), lines.length)
  const { from, to } = withContext(start, last, lines.length)
  const shown = lines.slice(from - 1, to).map((line, index) => {
    const number = from + index
    return ` ${String(number).padStart(3)} | ${number >= start && number <= last ? '>>>' : '   '} ${line}`
  })
  return [`${file.name}:${start}`, RULE, ...shown, RULE, ''].join('\n')
}

/** Widens the range by turns above and below. Source: moby/buildkit solver/errdefs/source.go: each turn counts as one line more. */
function withContext(start: number, end: number, count: number): { from: number; to: number } {
  const limit = start === end ? CONTEXT.line : CONTEXT.range
  let from = start
  let to = end
  for (let padding = 0; padding < limit; padding++) {
    if (from > 1) {
      from--
      padding++
    }
    if (to < count) {
      to++
      padding++
    }
  }
  return { from, to }
}
