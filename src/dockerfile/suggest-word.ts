/** More changes than these make another word. As in BuildKit. */
const MAX_CHANGES = 2

/** Longer words are not compared: it costs the product of the lengths. */
const MAX_LENGTH = 100

/** The option that `word` may have been meant to be; undefined: none is near, or it is one of them. Source: moby/buildkit util/suggest. */
export function suggestWord(word: string, options: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = MAX_CHANGES + 1
  for (const option of [...options].sort()) {
    if (option === word) return undefined
    if (Math.abs(option.length - word.length) > MAX_CHANGES || word.length > MAX_LENGTH) continue
    const distance = changes(word, option)
    if (distance < bestDistance) {
      best = option
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements, and swaps of neighbours, which BuildKit counts as two changes: so `RNU` means RUN rather than ENV. */
function changes(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a.charAt(i - 1) === b.charAt(j - 2) && a.charAt(i - 2) === b.charAt(j - 1)
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced, swapped))
    }
    before = above
    above = row
  }
  return above[b.length] ?? 0
}
