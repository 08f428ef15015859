import type { LogFile } from './log-files.ts'

const BLOCK = 64 * 1024
const NEWLINE = 0x0a

/** Where to begin reading: `files[index]` at byte `position`. */
export interface LogPosition {
  index: number
  position: number
}

/**
 * The start of the last `lines` lines, found by counting newlines backwards from the end of the newest file. A last line without newline (being
 * written right now) is not counted; readers see it when it is complete. `files`: oldest first.
 */
export async function findTailStart(files: readonly LogFile[], lines: number): Promise<LogPosition> {
  const block = Buffer.allocUnsafeSlow(BLOCK)
  let remaining = lines
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index]
    if (file === undefined) break
    // The newline that ends the last wanted line is met first: the start lies behind the one before all of them.
    for (let end = file.size; end > 0;) {
      const start = Math.max(0, end - BLOCK)
      const bytesRead = await file.read(block, 0, end - start, start)
      for (let at = block.lastIndexOf(NEWLINE, bytesRead - 1); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
        if (remaining === 0) return { index, position: start + at + 1 }
        remaining--
      }
      end = start
    }
    // All newlines of the file are used up, so its first byte begins a wanted line.
    if (remaining === 0) return { index, position: 0 }
  }
  return { index: 0, position: 0 }
}
