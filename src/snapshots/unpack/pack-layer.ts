import { closeSync, openSync, writeSync } from 'node:fs'
import type { Files } from '#kernel'
import { createDigester } from '#oci'
import { packTree, SPARSE_LAYER_HOLE } from '../tree/pack-tree.ts'
import type { Job, JobOptions, PackResult } from './job.ts'

/** Writes the tar of a layer's directory to a new file, in this thread. What was written until an error stays. */
export async function packLayer(files: Files, job: Job & { kind: 'pack' }, { signal, progress }: JobOptions): Promise<PackResult> {
  const { latest } = job
  const counted = { size: 0, inodes: 0 }
  const archive = packTree(files, job.directory, {
    whiteouts: 'overlay',
    sparse: SPARSE_LAYER_HOLE,
    changedTop: true,
    ...(latest === undefined ? {} : { latest }),
    counted,
  })
  const digester = createDigester()
  const fd = openSync(job.target, 'wx', 0o600)
  let tarSize = 0
  try {
    for await (const chunk of archive) {
      signal?.throwIfAborted()
      digester.update(chunk)
      for (let written = 0; written < chunk.length;) written += writeSync(fd, chunk, written)
      tarSize += chunk.length
      progress?.(tarSize)
    }
  } finally {
    closeSync(fd)
  }
  return { diffId: digester.digest(), tarSize, ...counted }
}
