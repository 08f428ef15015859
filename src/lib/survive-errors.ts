/**
 * Keeps a server alive when something throws that nobody waited for, until disposed: that is a defect, but one of a single request, and without this a client
 * that finds it could end the process at will. `report` hears of each.
 */
export function surviveErrors(report: (error: unknown) => void): Disposable {
  // Whoever reads our log may go away. Without a listener the write that fails would be one more error to log, for ever.
  const ignore = (): void => undefined
  const streams = [process.stdout, process.stderr]
  const events = ['uncaughtException', 'unhandledRejection'] as const
  for (const stream of streams) stream.on('error', ignore)
  for (const event of events) process.on(event, report)
  return {
    [Symbol.dispose]: () => {
      for (const event of events) process.off(event, report)
      for (const stream of streams) stream.off('error', ignore)
    },
  }
}
