/** Messages that somebody puts in and somebody else takes out, in order; for the sending side of a stream. */
export class MessageQueue<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = []
  #ended = false
  #wake = (): void => {}

  push(message: T): void {
    if (this.#ended) return
    this.#waiting.push(message)
    this.#wake()
  }

  /** What is in it is still given away. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const message = this.#waiting.shift()
      if (message !== undefined) yield message
      else if (this.#ended) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}
