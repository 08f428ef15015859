/** Runs `work` again and again, `interval` milliseconds between the end of one run and the next; never two at a time. Disposing waits for the one that runs. */
export function repeat(interval: number, work: (signal: AbortSignal) => Promise<void>, failed: (error: unknown) => void): AsyncDisposable {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  const run = async (): Promise<void> => {
    try {
      await work(ending.signal)
    } catch (error) {
      if (!ending.signal.aborted) failed(error)
    }
    if (!ending.signal.aborted) plan()
  }
  // Longer than a timer can be is as good as never within a process's life; without the bound it would fire at once.
  const plan = (): void => {
    timer = setTimeout(() => (running = run()), Math.min(interval, 0x7fffffff))
  }

  plan()
  return {
    async [Symbol.asyncDispose]() {
      ending.abort()
      clearTimeout(timer)
      await running
    },
  }
}
