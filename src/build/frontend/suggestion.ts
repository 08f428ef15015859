import { suggestWord } from '#dockerfile'

/** With more there is no use in guessing, and comparing takes its time. */
const MAX_OPTIONS = 500
const MAX_WORDS = 100

/** The option that `word` may have been meant to be; empty: none. */
export function nearest(word: string, options: readonly string[]): string {
  return options.length > MAX_OPTIONS ? '' : (suggestWord(word, options) ?? '')
}

/** ` (did you mean x?)` for the first of `words` that looks like an option, else nothing. Source: moby/buildkit util/suggest. */
export function didYouMean(words: Iterable<string>, options: readonly string[]): string {
  for (const word of Iterator.from(words).take(MAX_WORDS)) {
    const near = nearest(word, options)
    if (near !== '') return ` (did you mean ${near}?)`
  }
  return ''
}
