import type { ProgressMessage } from '#images'

/** Characters of messages; of more the beginning is lost. */
const MAX_HELD = 4 * 1024 * 1024

/** What a quiet build would have told, kept for the case that it fails. */
export class HeldMessages {
  readonly #messages: ProgressMessage[] = []
  #length = 0

  add(message: ProgressMessage): void {
    this.#messages.push(message)
    this.#length += lengthOf(message)
    while (this.#length > MAX_HELD) this.#length -= lengthOf(this.#messages.shift())
  }

  /** In the order in which they came. */
  tell(report: (message: ProgressMessage) => void): void {
    for (const message of this.#messages) report(message)
  }
}

/** Messages without text are small, but not free. */
function lengthOf(message: ProgressMessage | undefined): number {
  return (message?.stream?.length ?? 0) + 100
}
