import { LineBuffer } from './line-buffer.ts'
import { openLogFiles, type LogFile } from './log-files.ts'
import type { LogPosition } from './tail-start.ts'
import type { BatchWriter } from './batch-writer.ts'
import type { LogSource } from './types.ts'

/** The files of a followed log still to be read, oldest first; the last one is being written. */
export class FileQueue implements Disposable {
  readonly #source: LogSource
  readonly #files: LogFile[]
  #lines: LineBuffer | undefined
  /** The newest file ever opened; kept open so that its inode number stays its own. */
  #newest: bigint | undefined

  constructor(source: LogSource, files: LogFile[]) {
    this.#source = source
    this.#files = files
    this.#newest = files.at(-1)?.inode
  }

  get files(): readonly LogFile[] {
    return this.#files
  }

  /** Leaves out what lies before `start`; before the first `fill` only. */
  skipTo(start: LogPosition): void {
    for (let index = 0; index < start.index; index++) this.#files.shift()?.[Symbol.dispose]()
    const first = this.#files[0]
    if (first !== undefined) this.#lines = new LineBuffer(first, start.position)
  }

  /** Looks for files that rotation has put after the newest known one. */
  refresh(): void {
    const newer = openLogFiles(this.#source.path, this.#source.maxFile, this.#newest)
    this.#files.push(...newer)
    this.#newest = newer.at(-1)?.inode ?? this.#newest
  }

  /** Reads on, over the ends of files that have a successor. False when everything written so far was read. */
  async fill(): Promise<boolean> {
    for (;;) {
      const file = this.#files[0]
      if (file === undefined) return false
      this.#lines ??= new LineBuffer(file, 0)
      if (await this.#lines.fill()) return true
      if (this.#files.length === 1) return this.#lines.rewindIfTruncated() && (await this.#lines.fill())
      this.#files.shift()
      this.#lines = undefined
      file[Symbol.dispose]()
    }
  }

  drainInto(writer: BatchWriter): Buffer {
    return this.#lines?.drainInto(writer) ?? Buffer.alloc(0)
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) file[Symbol.dispose]()
  }
}
