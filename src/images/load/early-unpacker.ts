import { detectCompression } from '#archive'
import { holdGrowing, nextGrowth } from '#content'
import type { Lease } from '#content'
import type { Digest } from '#oci'
import type { CreateDeps } from '../create-image.ts'
import { readStart } from '../read-start.ts'
import type { IncomingFile } from './spool-archive.ts'

/** Smaller files are documents, or layers that cost nothing to unpack later. */
const MIN_SIZE = 64 * 1024
/** Where a tar header says `ustar`. */
const MAGIC_OFFSET = 257
const MAGIC = 'ustar'
const START = MAGIC_OFFSET + MAGIC.length

/**
 * Unpacks what looks like a layer while it is still coming, and the rest of the archive after it: manifests come last in most archives, and disk and
 * processor would wait for them. A guess that was wrong is forgotten; layers are asked for again by their digests, and then are there.
 */
export interface EarlyUnpacker {
  offer(file: IncomingFile): void
  /** Settles when nothing is being unpacked any more; never rejects. */
  settled(): Promise<void>
}

export function createEarlyUnpacker({ content, snapshotter }: CreateDeps, lease: Lease, signal: AbortSignal): EarlyUnpacker {
  const running: Promise<unknown>[] = []

  async function unpack({ path, growing, blob }: IncomingFile): Promise<void> {
    const digest = blob.then((stored) => stored.digest)
    digest.catch(() => {}) // whoever reads the archive hears of it
    using file = holdGrowing(growing)
    const { bytes } = await nextGrowth(file, START - 1, signal)
    if (bytes < START || !looksLikeLayer(file.path)) return
    const isKnown = namesIn(path).some((name) => content.has(name) || snapshotter.findLayer(name) !== undefined)
    // Under its digest it need not be unpacked again.
    await (isKnown ? snapshotter.unpack(await digest, { lease, signal }) : snapshotter.unpack(digest, { lease, signal, growing: file }))
  }

  return {
    offer(file) {
      // A failure is of no interest here: a real layer is asked for again, and fails again.
      if (file.size >= MIN_SIZE) running.push(unpack(file).catch(() => {}))
    },
    async settled() {
      await Promise.all(running)
    },
  }
}

/** Archives name their files by digests of blobs or layers; so far that is only what they say. */
function namesIn(path: string): Digest[] {
  return [...path.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)].map(([hex]): Digest => `sha256:${hex}`)
}

function looksLikeLayer(path: string): boolean {
  const start = readStart(path, START)
  return detectCompression(start) !== 'none' || start.toString('latin1', MAGIC_OFFSET) === MAGIC
}
