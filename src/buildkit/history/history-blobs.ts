import { createReadStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { notFound } from '#errors'
import { digestOf, hexOf, type Digest } from '#oci'

/** A blob as records name it: fields of the message `Descriptor`. */
export interface Attachment {
  mediaType: string
  digest: Digest
  /** Bytes. */
  size: bigint
  annotations: Record<string, string>
}

/**
 * What belongs to records of the history: logs, errors, provenance. One directory, one file for each, by digest. Nothing waits for the disk: a loss of power may
 * take the last ones, and records do without.
 */
export class HistoryBlobs {
  readonly #root: string

  /** `root` is made when it is absent. */
  constructor(root: string) {
    this.#root = root
    mkdirSync(root, { recursive: true, mode: 0o700 })
  }

  /**
   * In one go, so that no record is forgotten, and its blobs with it, while another one with an equal blob is written. One that is there is left alone: somebody may
   * read it, and on a full disk it would be lost.
   */
  put(mediaType: string, bytes: Uint8Array, annotations: Record<string, string> = {}): Attachment {
    const digest = digestOf(bytes)
    if (this.#sizeOf(digest) !== bytes.length) writeFileSync(this.#path(digest), bytes, { mode: 0o600 })
    return { mediaType, digest, size: BigInt(bytes.length), annotations }
  }

  has(digest: Digest): boolean {
    return this.#sizeOf(digest) !== undefined
  }

  /** Bytes. Throws NOT_FOUND. */
  size(digest: Digest): number {
    const size = this.#sizeOf(digest)
    if (size === undefined) throw notFound(`content ${digest}: not found`)
    return size
  }

  /** Throws NOT_FOUND. */
  read(digest: Digest): Readable {
    this.size(digest)
    return createReadStream(this.#path(digest))
  }

  /** In one piece. Throws NOT_FOUND. */
  readAll(digest: Digest): Buffer {
    this.size(digest)
    return readFileSync(this.#path(digest))
  }

  /** Absent is fine. */
  delete(digest: Digest): void {
    rmSync(this.#path(digest), { force: true })
  }

  /** Deletes all others. */
  retain(digests: ReadonlySet<string>): void {
    for (const name of readdirSync(this.#root)) if (!digests.has(`sha256:${name}`)) rmSync(join(this.#root, name), { force: true })
  }

  #sizeOf(digest: Digest): number | undefined {
    return statSync(this.#path(digest), { throwIfNoEntry: false })?.size
  }

  #path(digest: Digest): string {
    return join(this.#root, hexOf(digest))
  }
}
