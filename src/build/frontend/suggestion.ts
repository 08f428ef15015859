import { suggestWord } from '#dockerfile'

/** ` (did you mean x?)` for the first of `words` that looks like an option, else nothing. Source: moby/buildkit util/suggest. */
export function didYouMean(words: Iterable<string>, options: readonly string[]): string {
  for (const word of words) {
    const near = suggestWord(word, options)
    if (near !== undefined) return ` (did you mean ${near}?)`
  }
  return ''
}
