/** Messages that somebody puts in and somebody else takes out, in order; for the sending side of a stream. */
export class MessageQueue<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = []
  #ended = false
  #failure: unknown
  #wake = (): void => {}

  push(message: T): void {
    if (this.#ended) return
    this.#waiting.push(message)
    this.#wake()
  }

  /** What is in it is still given away; then the reader is done, or gets `failure`. */
  end(failure?: unknown): void {
    this.#ended = true
    this.#failure = failure
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const message = this.#waiting.shift()
      if (message !== undefined) yield message
      else if (this.#failure !== undefined) throw this.#failure
      else if (this.#ended) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}
