/** ctrl-p, ctrl-q */
const DEFAULT_KEYS: readonly number[] = [16, 17]
const CONTROL_KEYS = '@abcdefghijklmnopqrstuvwxyz[\\]^_'

/** Bytes of `ctrl-p,ctrl-q` or `a,b`; an empty text gives the default. Throws Error with Docker's text. */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === '') return DEFAULT_KEYS
  return text.split(',').flatMap((key) => {
    if (key.length === 1) return [key.charCodeAt(0)]
    const control = key.startsWith('ctrl-') && key.length === 6 ? CONTROL_KEYS.indexOf(key.charAt(5).toLowerCase()) : -1
    if (control < 0) throw new Error(`Unknown character: '${key}'`)
    return [control]
  })
}

/**
 * Looks for the detach keys in what the user types. Keys that may be the beginning of the sequence are held back until it is clear; when
 * it is complete nothing of it reaches the container.
 */
export class DetachDetector {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  /** The bytes to pass on, and whether the sequence was completed (what is typed after it is dropped). */
  feed(chunk: Uint8Array): { bytes: Uint8Array; detached: boolean } {
    const passed: number[] = []
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched === this.#keys.length) return { bytes: Uint8Array.from(passed), detached: true }
        continue
      }
      passed.push(...this.#keys.slice(0, this.#matched))
      // The byte that broke the sequence may begin a new one.
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) passed.push(byte)
    }
    return { bytes: Uint8Array.from(passed), detached: false }
  }
}
