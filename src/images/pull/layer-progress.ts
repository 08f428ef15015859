import { hexOf } from '#oci'
import type { Descriptor } from '#oci'
import type { ProgressMessage } from '../types.ts'

/** Milliseconds between two reports of the same kind. */
const INTERVAL = 100

/** Tells in Docker's words how one layer gets on; numbers at most ten times a second. */
export interface LayerProgress {
  say(status: 'Waiting' | 'Verifying Checksum' | 'Download complete' | 'Pull complete'): void
  retrying(seconds: number): void
  /** Bytes of the blob that have come, or have been unpacked. */
  count(status: 'Downloading' | 'Extracting', current: number): void
}

export function createLayerProgress(report: (message: ProgressMessage) => void, { digest, size }: Descriptor): LayerProgress {
  const id = layerName({ digest })
  let counting = ''
  let last = 0
  return {
    say(status) {
      counting = ''
      report({ id, status })
    },
    retrying(seconds) {
      counting = ''
      report({ id, status: `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}` })
    },
    count(status, current) {
      const now = performance.now()
      if (counting === status && now - last < INTERVAL) return
      counting = status
      last = now
      report({ id, status, progress: { current, total: size } })
    },
  }
}

/** By what Docker calls a layer in messages: the beginning of its blob's digest. */
export function layerName({ digest }: Pick<Descriptor, 'digest'>): string {
  return hexOf(digest).slice(0, 12)
}
