import type { FileHandle } from 'node:fs/promises'

/** Bytes collected before they go to the file in one call. */
const BATCH = 1024 * 1024
/** After so many bytes the kernel is told to write to the disk, in the background: the wait at the end is short then. */
const SYNC_EVERY = 64 * 1024 * 1024

export interface AppendFileOptions {
  /** Content of an open file to the disk. */
  sync: (file: FileHandle) => Promise<void>
  /** Called when a batch is in the file: its bytes. */
  written: (bytes: number) => void
}

/**
 * Appends all that `chunks` gives to `file`, which is open for appending. The next batch is received while the last one is written. When `chunks`
 * throws, what came before is written, then the error is passed on.
 */
export async function appendFile(file: FileHandle, chunks: AsyncIterable<Uint8Array>, { sync, written }: AppendFileOptions): Promise<void> {
  let batch: Uint8Array[] = []
  let batched = 0
  let unsynced = 0
  let writing: Promise<void> = Promise.resolve()
  let syncing: Promise<void> | undefined

  async function flush(): Promise<void> {
    await writing
    const full = batch
    const bytes = batched
    unsynced += bytes
    batch = []
    batched = 0
    writing = writeAll(file, full).then(() => written(bytes))
    writing.catch(() => {}) // reported where it is awaited
    if (unsynced < SYNC_EVERY || syncing !== undefined) return
    unsynced = 0
    const running = sync(file).finally(() => (syncing = undefined))
    running.catch(() => {}) // an error of the disk shows again in the sync that the commit waits for
    syncing = running
  }

  try {
    for await (const chunk of chunks) {
      batch.push(chunk)
      batched += chunk.length
      if (batched >= BATCH) await flush()
    }
  } finally {
    // The file may not be closed under a write or a sync.
    await flush()
    await writing.finally(() => syncing?.catch(() => {}))
  }
}

async function writeAll(file: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
  const wanted = batch.reduce((sum, chunk) => sum + chunk.length, 0)
  if (wanted === 0) return
  const { bytesWritten } = await file.writev(batch)
  // A short write happens on a full disk or a signal; the rest then fails or goes through.
  if (bytesWritten < wanted) await file.writeFile(Buffer.concat(batch).subarray(bytesWritten))
}
