import { detectCompression } from '#archive'
import type { Blob, Lease } from '#content'
import type { CreateDeps } from '../create-image.ts'
import { readStart } from '../read-start.ts'

/** Smaller files are documents, or layers that cost nothing to unpack later. */
const MIN_SIZE = 64 * 1024
/** Where a tar header says `ustar`. */
const MAGIC_OFFSET = 257
const MAGIC = 'ustar'

/**
 * Unpacks what looks like a layer while the rest of the archive is still coming: manifests come last in most archives, and disk and
 * processor would wait for them. A guess that was wrong is forgotten; layers are asked for again by their digests, and then are there.
 */
export interface EarlyUnpacker {
  offer(blob: Blob): void
  /** Settles when nothing is being unpacked any more; never rejects. */
  settled(): Promise<void>
}

export function createEarlyUnpacker({ content, snapshotter }: CreateDeps, lease: Lease, signal: AbortSignal): EarlyUnpacker {
  const running: Promise<void>[] = []

  /** A failure is of no interest here: a real layer is asked for again, and fails again. */
  async function attempt(blob: Blob): Promise<void> {
    await snapshotter.unpack(blob.digest, { lease, signal }).catch(() => {})
  }

  return {
    offer(blob) {
      if (blob.size >= MIN_SIZE && looksLikeLayer(content.path(blob.digest))) running.push(attempt(blob))
    },
    async settled() {
      await Promise.all(running)
    },
  }
}

function looksLikeLayer(path: string): boolean {
  const start = readStart(path, MAGIC_OFFSET + MAGIC.length)
  return detectCompression(start) !== 'none' || start.toString('latin1', MAGIC_OFFSET) === MAGIC
}
