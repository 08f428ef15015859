/** Messages on their way out of a streaming call: what is pushed is iterated, once, in order. */
export class Outbox<T> implements AsyncIterable<T> {
  readonly #waiting: { value: T; taken: () => void }[] = []
  #ended = false
  #wake: () => void = () => {}

  /** Resolves when the message has been taken, so that a sender who waits is as fast as the receiver; at once after the end. */
  push(value: T): Promise<void> {
    if (this.#ended) return Promise.resolve()
    return new Promise((taken) => {
      this.#waiting.push({ value, taken })
      this.#wake()
    })
  }

  /** Nothing more comes; what waits is still sent. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const next = this.#waiting.shift()
        if (next !== undefined) {
          next.taken()
          yield next.value
        } else if (this.#ended) return
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
      }
    } finally {
      // The call is over: who still sends must not wait for ever.
      this.#ended = true
      for (const { taken } of this.#waiting.splice(0)) taken()
    }
  }
}
