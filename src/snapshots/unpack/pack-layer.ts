import { closeSync, openSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Files } from '#kernel'
import { createDigester } from '#oci'
import { packTreeNow, SPARSE_LAYER_HOLE } from '../tree/pack-tree.ts'
import type { Job, JobOptions, PackResult } from './job.ts'

/** Bytes collected before they are hashed and written. */
const BATCH = 1024 * 1024

/** Writes the tar of a layer's directory, which nobody changes, to a new file, in this thread. What was written until an error stays. */
export async function packLayer(files: Files, job: Job & { kind: 'pack' }, { signal, progress }: JobOptions): Promise<PackResult> {
  const { latest } = job
  const counted = { size: 0, inodes: 0 }
  const archive = packTreeNow(files, job.directory, {
    whiteouts: 'overlay',
    sparse: SPARSE_LAYER_HOLE,
    changedTop: true,
    counted,
    ...(latest === undefined ? {} : { latest }),
  })
  const digester = createDigester()
  const batch = Buffer.allocUnsafeSlow(BATCH)
  let filled = 0
  let tarSize = 0
  const fd = openSync(job.target, 'wx', 0o600)

  function flush(): void {
    const bytes = batch.subarray(0, filled)
    digester.update(bytes)
    for (let written = 0; written < filled;) written += writeSync(fd, bytes, written)
    tarSize += filled
    filled = 0
    progress?.(tarSize)
  }

  try {
    for (const piece of archive) {
      for (let rest = piece; rest.length > 0;) {
        const copied = rest.copy(batch, filled)
        rest = rest.subarray(copied)
        filled += copied
        if (filled < BATCH) continue
        flush()
        await setImmediate() // to hear that it is given up
        signal?.throwIfAborted()
      }
    }
    flush()
  } finally {
    closeSync(fd)
  }
  return { diffId: digester.digest(), tarSize, ...counted }
}
