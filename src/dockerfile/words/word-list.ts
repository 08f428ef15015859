/** Collects words: blanks that are added by `add` end one, blanks of `addUnsplit` (quoted, escaped) are part of it. */
export class WordList {
  readonly #words: string[] = []
  #word = ''

  add(text: string): void {
    const [start = '', ...others] = text.split(/\s+/)
    this.#word += start
    for (const word of others) {
      this.#endWord()
      this.#word = word
    }
  }

  addUnsplit(text: string): void {
    this.#word += text
  }

  end(): readonly string[] {
    this.#endWord()
    return this.#words
  }

  /** A word that is empty after all (`""`) is none: as in BuildKit. */
  #endWord(): void {
    if (this.#word !== '') this.#words.push(this.#word)
    this.#word = ''
  }
}
