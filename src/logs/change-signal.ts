import { watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'

/** Pause between looks where inotify is not to be had (its watches are a limited resource of the machine: ENOSPC). */
const FALLBACK_INTERVAL_MS = 250

/** Longest delay a timer takes; longer ones fire at once (Node's setTimeout). */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface ChangeSignalOptions {
  /** File whose directory is watched. */
  path: string
  ended: Promise<void>
  signal: AbortSignal | undefined
  /** Milliseconds from now after which `expired` is set; undefined: never. */
  expiresIn: number | undefined
}

/**
 * Wakes a follower when something happened to the log: bytes written, files renamed, the writer gone, the reader gone. It notes what happened since
 * `clear`, so that what happens while the follower reads is not slept through. The directory is watched and not the file, because rotation
 * puts another file under the same name.
 */
export class ChangeSignal implements Disposable {
  /** A name appeared or disappeared: rotation is possible. */
  renamed: boolean = false
  /** No more will be written. */
  ended: boolean = false
  /** The reader wants no more: aborted, or its time is over. */
  cancelled: boolean = false
  #changed = false
  #wake: (() => void) | undefined
  #watcher: FSWatcher | undefined
  #interval: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  readonly #signal: AbortSignal | undefined
  /** A promise keeps its callbacks until it settles, which for a container may be in a year: it gets this cell, emptied by dispose. */
  readonly #endListener: { call?: (() => void) | undefined } = {
    call: () => {
      this.ended = true
      this.#notify()
    },
  }
  readonly #cancel = (): void => {
    this.cancelled = true
    this.#notify()
  }

  constructor({ path, ended, signal, expiresIn }: ChangeSignalOptions) {
    this.#signal = signal
    const listener = this.#endListener
    void ended.then(() => listener.call?.())
    if (signal?.aborted === true) this.cancelled = true
    signal?.addEventListener('abort', this.#cancel, { once: true })
    if (expiresIn !== undefined) this.#expiry = setTimeout(this.#cancel, Math.min(Math.max(expiresIn, 0), MAX_TIMER_MS))
    try {
      this.#watcher = watch(dirname(path), { persistent: false }, (event) => {
        if (event === 'rename') this.renamed = true
        this.#notify()
      })
      this.#watcher.on('error', () => this.#poll())
    } catch {
      this.#poll()
    }
  }

  /** Forgets changes up to now; call it before looking at the files. */
  clear(): void {
    this.#changed = false
    this.renamed = false
  }

  /** Resolves when something happened since `clear`. */
  async wait(): Promise<void> {
    while (!this.#changed && !this.ended && !this.cancelled) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
    clearInterval(this.#interval)
    clearTimeout(this.#expiry)
    this.#signal?.removeEventListener('abort', this.#cancel)
    this.#endListener.call = undefined
    this.#wake = undefined
  }

  #notify(): void {
    this.#changed = true
    this.#wake?.()
    this.#wake = undefined
  }

  #poll(): void {
    this.#interval ??= setInterval(() => {
      this.renamed = true
      this.#notify()
    }, FALLBACK_INTERVAL_MS)
  }
}
