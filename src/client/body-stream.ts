/** Takes a chunk that is valid only during the call; a promise pauses the connection until it is settled. */
export type Sink = (chunk: Buffer) => void | Promise<void>

/** How a body reaches the connection it is read from. */
export interface FlowControl {
  pause(): void
  resume(): void
  /** Gives the connection up; nothing more is read. */
  abort(): void
}

/**
 * The bytes of a response. Exactly one of `pipe`, `text`, iteration is used, once; until then the connection is paused, so nothing is
 * buffered without limit. Rejects with the connection's error when the bytes break off.
 */
export class BodyStream {
  readonly #flow: FlowControl
  #sink: Sink | undefined
  #queue: Buffer[] = []
  /** A sink's promise is pending: later chunks wait their turn. */
  #busy = false
  #ended = false
  #error: Error | undefined
  readonly #settled = Promise.withResolvers<void>()

  constructor(flow: FlowControl) {
    this.#flow = flow
    this.#settled.promise.catch(() => {}) // the error is given to whoever reads; nobody need
  }

  /** Connection side: more bytes. */
  push(chunk: Buffer): void {
    if (this.#sink === undefined || this.#busy) {
      this.#queue.push(Buffer.from(chunk))
      this.#flow.pause()
    } else this.#deliver(this.#sink, chunk)
  }

  /** Connection side: the bytes are complete, or broke off with `error`. */
  finish(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#drain()
  }

  /** Calls `sink` for each chunk, resolves at the end. The fast path: no copy, no allocation. */
  pipe(sink: Sink): Promise<void> {
    if (this.#sink !== undefined) throw new Error('the body is already being read')
    this.#sink = sink
    this.#drain()
    return this.#settled.promise
  }

  /** The whole body as UTF-8; for the daemon's own answers, which fit in memory. */
  async text(): Promise<string> {
    const chunks: Buffer[] = []
    await this.pipe((chunk) => void chunks.push(Buffer.from(chunk)))
    return Buffer.concat(chunks).toString('utf8')
  }

  /** Stops reading and gives the connection up. */
  abort(): void {
    this.#flow.abort()
    this.#queue = []
    this.finish()
  }

  /** Hands out what is queued; then settles, or lets the connection go on. */
  #drain(): void {
    if (this.#sink === undefined || this.#busy) return
    for (;;) {
      const chunk = this.#queue.shift()
      if (chunk === undefined) break
      this.#deliver(this.#sink, chunk)
      if (this.#busy) return
    }
    if (!this.#ended) this.#flow.resume()
    else if (this.#error === undefined) this.#settled.resolve()
    else this.#settled.reject(this.#error)
  }

  #deliver(sink: Sink, chunk: Buffer): void {
    try {
      const pending = sink(chunk)
      if (pending !== undefined) this.#wait(pending)
    } catch (error) {
      this.#fail(error)
    }
  }

  #wait(pending: Promise<void>): void {
    this.#busy = true
    this.#flow.pause()
    pending.then(
      () => {
        this.#busy = false
        this.#drain()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  /** The sink gave up: so does the connection. */
  #fail(error: unknown): void {
    this.#flow.abort()
    this.#queue = []
    this.#busy = false
    this.#ended = true
    this.#error = error instanceof Error ? error : new Error(String(error))
    this.#drain()
  }
}
