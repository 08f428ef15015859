import { lifetime, type UpstreamAnswer } from './answer.ts'

/** Whatever a zone says: names change hands, and clocks of records were set by people. */
const MAX_LIFETIME = 86_400
const MAX_ENTRIES = 4096
const MAX_BYTES = 4 * 1024 * 1024

export interface CachedAnswer {
  answer: UpstreamAnswer
  /** Whole seconds since it came. */
  age: number
}

/** Answers of servers for as long as they may be kept; the ones used longest ago go first when there are too many. */
export interface AnswerCache {
  get(key: string): CachedAnswer | undefined
  put(key: string, answer: UpstreamAnswer): void
}

/** `now` in milliseconds, never going back. */
export function createAnswerCache(now: () => number = () => performance.now()): AnswerCache {
  const entries = new Map<string, { answer: UpstreamAnswer; since: number; until: number; size: number }>()
  let bytes = 0

  function remove(key: string): void {
    bytes -= entries.get(key)?.size ?? 0
    entries.delete(key)
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (now() >= entry.until) {
        remove(key)
        return undefined
      }
      entries.delete(key)
      entries.set(key, entry) // now the one used last
      return { answer: entry.answer, age: Math.floor((now() - entry.since) / 1000) }
    },
    put(key, answer) {
      const seconds = Math.min(MAX_LIFETIME, lifetime(answer))
      if (seconds <= 0) return
      remove(key)
      const size = key.length + answer.bytes.length
      const since = now()
      entries.set(key, { answer: { ...answer, bytes: copyOf(answer.bytes) }, since, until: since + seconds * 1000, size })
      bytes += size
      for (const oldest of entries.keys()) {
        if (entries.size <= MAX_ENTRIES && bytes <= MAX_BYTES) break
        remove(oldest)
      }
    },
  }
}

/** With memory of its own: a part of a chunk, or of Node's pool, would keep all of it, 64 KiB for an answer of a hundred bytes. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
