/** What the storage needs of a bucket. Keys here are without the configured prefix. */

import type { Readable } from 'node:stream'

export interface StoredObject {
  key: string
  /** Bytes. */
  size: number
  /** Milliseconds since the epoch, by the clock of the service; some have whole seconds only. */
  modified: number
}

/** A bucket as a flat map of objects. Every call throws when the service does not answer as it should; the SDK has tried again by then. */
export interface Bucket extends Disposable {
  head(key: string): Promise<StoredObject | undefined>
  /** Bytes `start` to `end`, inclusive; the end may be left open. Undefined: there is no such object. */
  get(key: string, range?: { start: number; end?: number }): Promise<Readable | undefined>
  put(key: string, bytes: Uint8Array): Promise<void>
  /** Absent is fine. */
  delete(key: string): Promise<void>
  /** Copies within the service, in parts where that is faster or needed. `to` may be `from.key`: the object becomes new. False: there is no such object. */
  copy(from: Pick<StoredObject, 'key' | 'size'>, to: string): Promise<boolean>
  /** Makes one object of several without moving their bytes through this machine. All but the last have 5 MiB at least. */
  join(parts: readonly StoredObject[], to: string): Promise<void>
  /** Objects whose key begins with `prefix`, in byte order of the key, page by page. */
  list(prefix: string): AsyncIterable<StoredObject>
  /**
   * The objects and the directories directly in `directory` (no slash at the end), each kind in byte order of its keys, which end with a slash for
   * directories. `after`: only names behind this one. `pageSize`: how many are wanted at first.
   */
  children(
    directory: string,
    options?: { after?: string; pageSize?: number },
  ): AsyncIterable<{ kind: 'object'; name: string; modified: number } | { kind: 'directory'; name: string }>
  /** Throws when the bucket cannot be listed. */
  check(): Promise<void>
  /** A URL that anybody may use for a while. */
  presign(key: string, method: 'GET' | 'HEAD'): Promise<string>
}
