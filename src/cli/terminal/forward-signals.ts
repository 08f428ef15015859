/**
 * Signals that are passed on to the container. Left out: SIGCHLD and SIGPIPE, which concern our own process, SIGKILL and SIGSTOP, which
 * nobody can catch, and the synchronous faults and SIGPROF, which V8 uses.
 */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGVTALRM',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
]

/** Catches signals and hands each to `send`, named as the API wants it (`INT`). Returns what ends it. */
export function forwardSignals(send: (signal: string) => Promise<void>): () => void {
  const handlers = FORWARDED.map((signal) => {
    const handler = (): void => void send(signal.slice('SIG'.length)).catch(() => {}) // the container may have ended meanwhile
    process.on(signal, handler)
    return [signal, handler] as const
  })
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}
