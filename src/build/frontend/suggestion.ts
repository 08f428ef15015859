import { suggestWord } from '#dockerfile'
import { codeOf, EngineError } from '#errors'

/** `error` with ` (did you mean x?)` for the first of `words` that looks like an option. Source: moby/buildkit util/suggest. */
export function withSuggestion(error: unknown, words: Iterable<string>, options: readonly string[]): unknown {
  for (const word of words) {
    const near = suggestWord(word, options)
    if (near !== undefined) return new EngineError(codeOf(error), `${(error as Error).message} (did you mean ${near}?)`, { cause: error })
  }
  return error
}
