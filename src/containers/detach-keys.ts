import { invalidArgument } from '#errors'

/** ctrl-p ctrl-q. */
export const DEFAULT_DETACH_KEYS: Buffer = Buffer.from([16, 17])

/** `ctrl-@` … `ctrl-_` are the control characters 0 to 31. */
const CONTROL = '@abcdefghijklmnopqrstuvwxyz[\\]^_'

/**
 * Bytes of `ctrl-a,ctrl-b`, `a,b` or `DEL`; empty text: the default. Throws INVALID_ARGUMENT. Source: docs of `docker attach`, "Override the
 * detach sequence".
 */
export function parseDetachKeys(text: string): Buffer {
  if (text === '') return DEFAULT_DETACH_KEYS
  const bytes = text.split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0)
    if (key === 'DEL') return 127
    const code = key.length === 'ctrl-x'.length && key.startsWith('ctrl-') ? CONTROL.indexOf(key.at(-1) ?? '') : -1
    if (code < 0) throw invalidArgument(`Invalid detach keys (${text}) provided`)
    return code
  })
  return Buffer.from(bytes)
}

/** Finds a detach sequence in what is typed. Bytes of a sequence that was begun are held back until it is clear that it is none. */
export class DetachScanner {
  readonly #keys: Buffer
  #matched = 0

  constructor(keys: Buffer) {
    this.#keys = keys
  }

  /** `data`: what goes on to the process. After `detached` nothing more may be given. */
  scan(chunk: Buffer): { data: Buffer; detached: boolean } {
    // Usual case: no begun sequence and the first key is not in the chunk, nothing to copy.
    if (this.#matched === 0 && !chunk.includes(this.#keys[0] ?? 0)) return { data: chunk, detached: false }
    const out: number[] = []
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++
        if (this.#matched === this.#keys.length) return { data: Buffer.from(out), detached: true }
        continue
      }
      // The held bytes were no sequence; this one may begin a new one.
      out.push(...this.#keys.subarray(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) out.push(byte)
    }
    return { data: Buffer.from(out), detached: false }
  }
}
