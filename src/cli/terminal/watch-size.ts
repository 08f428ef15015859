import type { Cli } from '../cli.ts'

/** The first resize may come before the process has its terminal: it is repeated, waiting a little longer each time. */
const FIRST_ATTEMPTS = 10
const WAIT_STEP = 10

/**
 * Tells the container the size of our terminal, now and at every change. `resize` is the call for a container or an exec. Returns what
 * ends it.
 */
export function watchSize(cli: Cli, resize: (rows: number, columns: number) => Promise<void>): () => void {
  const stop = new AbortController()
  const send = async (): Promise<void> => {
    const size = cli.stdout.size()
    if (size === undefined || (size[0] === 0 && size[1] === 0)) return
    await resize(size[0], size[1])
  }
  const first = async (): Promise<void> => {
    for (let attempt = 0; attempt <= FIRST_ATTEMPTS && !stop.signal.aborted; attempt++) {
      try {
        return await send()
      } catch {
        await new Promise((resolve) => setTimeout(resolve, (attempt + 1) * WAIT_STEP).unref())
      }
    }
    if (!stop.signal.aborted) cli.warn('failed to resize tty, using default size')
  }
  const onChange = (): void => void send().catch(() => {}) // the process may have ended meanwhile
  process.on('SIGWINCH', onChange)
  void first()
  return () => {
    stop.abort()
    process.off('SIGWINCH', onChange)
  }
}
