import { nowNano } from '#lib'
import { BatchWriter } from './batch-writer.ts'
import { ChangeSignal } from './change-signal.ts'
import { FileQueue } from './file-queue.ts'
import { LineBuffer } from './line-buffer.ts'
import { openLogFiles, type LogFile } from './log-files.ts'
import { findTailStart, type LogPosition } from './tail-start.ts'
import type { LogReader, LogReadOptions, LogSource } from './types.ts'

/** Files not written to for this long before `since` are left out: the kernel's file times lag behind the clock by some milliseconds. */
const MTIME_SLACK = 1_000_000_000n

/** A reader has no state of its own; each `read` opens the files it needs and closes them when the iteration ends, however it ends. */
export function createLogReader(): LogReader {
  return {
    read: (source, options, signal) => (options.follow ? follow(source, options, signal) : readPast(source, options, signal)),
  }
}

/** What is in the files now, and nothing written later: a container that writes faster than the client reads would never let it end. */
async function* readPast(source: LogSource, options: LogReadOptions, signal?: AbortSignal): AsyncGenerator<Buffer> {
  using open = new DisposableStack()
  const files = openLogFiles(source.path, source.maxFile)
  for (const file of files) open.use(file)
  const writer = new BatchWriter(options)
  const isDone = (): boolean => writer.pastUntil || signal?.aborted === true
  const start = await startPosition(files, options)
  for (const [index, file] of files.entries()) {
    if (index < start.index || isBefore(file, index === files.length - 1, options.since)) continue
    const lines = new LineBuffer(file, index === start.index ? start.position : 0)
    while (!isDone() && (await lines.fill(file.size))) {
      const batch = lines.drainInto(writer)
      if (batch.length > 0) yield batch
    }
  }
}

/**
 * As {@link readPast}, then what is written until the writer has ended. The consumer must end it by `signal` or by leaving its loop at a batch: an
 * iteration that waits for the next line hears of nothing else.
 */
async function* follow(source: LogSource, options: LogReadOptions, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const expiresIn = options.until === undefined ? undefined : Number(options.until - nowNano()) / 1e6
  using changes = new ChangeSignal({ path: source.path, ended: source.ended, signal, expiresIn })
  using queue = new FileQueue(source, openLogFiles(source.path, source.maxFile))
  const writer = new BatchWriter(options)
  const isDone = (): boolean => writer.pastUntil || changes.cancelled
  queue.skipTo(await startPosition(queue.files, options))

  while (!isDone()) {
    const { ended, renamed } = changes
    changes.clear()
    // Rotation is looked for before reading: then the end of a file that has a successor is its last byte, as the writer is through with it.
    if (renamed || ended) queue.refresh()
    while (!isDone() && (await queue.fill())) {
      const batch = queue.drainInto(writer)
      if (batch.length > 0) yield batch
    }
    if (ended) return
    await changes.wait()
  }
}

async function startPosition(files: readonly LogFile[], { tail }: LogReadOptions): Promise<LogPosition> {
  return tail === undefined ? { index: 0, position: 0 } : await findTailStart(files, tail)
}

/** Whether a file that rotation has closed ends before `since`. */
function isBefore(file: LogFile, isNewest: boolean, since: bigint | undefined): boolean {
  return !isNewest && since !== undefined && file.modified + MTIME_SLACK < since
}
