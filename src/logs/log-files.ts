import { closeSync, fstatSync, openSync, read, statSync } from 'node:fs'
import { promisify } from 'node:util'

const readAsync = promisify(read)

/** One opened file of a log. Renaming by rotation does not touch it: the descriptor is what counts. */
export class LogFile implements Disposable {
  readonly #fd: number
  #open = true
  /** Identity; cannot be given to another file while this one is open. */
  readonly inode: bigint
  /** Bytes at opening. */
  readonly size: number
  /** Nanoseconds since the epoch of the last write, in the kernel's coarse clock. */
  readonly modified: bigint

  constructor(fd: number) {
    this.#fd = fd
    const { ino, size, mtimeNs } = fstatSync(fd, { bigint: true })
    this.inode = ino
    this.size = Number(size)
    this.modified = mtimeNs
  }

  /** Bytes read at `position`; 0 at the end. */
  async read(buffer: Buffer, offset: number, length: number, position: number): Promise<number> {
    return (await readAsync(this.#fd, buffer, offset, length, position)).bytesRead
  }

  /** Bytes now. */
  currentSize(): number {
    return fstatSync(this.#fd).size
  }

  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    closeSync(this.#fd)
  }
}

/** Rotations that may get into the way of one look at the files; a writer that rotates faster than this is seen as it was last. */
const MAX_TRIES = 50

/**
 * Opens the files of a log that are newer than the one with inode `after` (undefined: all), oldest first. The caller disposes them.
 *
 * Two rotations during the look would show files in the wrong order: B as `path`, then, renamed meanwhile, the newer C as `path.1`. So the look is
 * quick (synchronous: some ten microseconds a file) and counts only when `path` is the same file before and after it, as every rotation puts
 * another one there.
 */
export function openLogFiles(path: string, maxFile: number, after?: bigint): LogFile[] {
  for (let tries = 1; ; tries++) {
    using undo = new DisposableStack()
    const { current, files } = scan(path, maxFile, after, undo)
    if (tries < MAX_TRIES && statSync(path, { bigint: true, throwIfNoEntry: false })?.ino !== current) continue
    undo.move()
    return files.toReversed()
  }
}

/** The files from the newest on; those still open afterwards are in `undo`. `current`: inode of `path` itself, undefined: absent. */
function scan(
  path: string,
  maxFile: number,
  after: bigint | undefined,
  undo: DisposableStack,
): { current: bigint | undefined; files: LogFile[] } {
  const files: LogFile[] = []
  let current: bigint | undefined
  // During a rotation a name may be absent for a moment, so one gap does not end the search.
  for (let index = 0, missing = 0; index < maxFile && missing < 2; index++) {
    const file = openIfPresent(index === 0 ? path : `${path}.${index}`)
    if (file === undefined) {
      missing++
      continue
    }
    missing = 0
    undo.use(file)
    if (index === 0) current = file.inode
    const isKnown = file.inode === after || files.some(({ inode }) => inode === file.inode)
    if (isKnown) file[Symbol.dispose]()
    else files.push(file)
    if (file.inode === after) break
  }
  return { current, files }
}

function openIfPresent(path: string): LogFile | undefined {
  try {
    return new LogFile(openSync(path, 'r'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
