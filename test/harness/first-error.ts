/**
 * Loaded before tests (`--import`): what fails first is said first. A test that fails often leaves something behind, of which the disposal of its engine or
 * world then complains; the runner shows of the two, a `SuppressedError`, the stack alone, which says neither. Here that stack becomes both.
 * The runner carries nothing else of an error from the process of a file to its own.
 */
Error.prepareStackTrace = (error: Error, frames: NodeJS.CallSite[]): string => {
  // oxlint-disable-next-line typescript/no-base-to-string -- a call site has a text of its own, of which its type does not know
  const own = [Error.prototype.toString.call(error), ...frames.map((frame) => `    at ${String(frame)}`)].join('\n')
  if (!(error instanceof SuppressedError)) return own
  return `${told(error.suppressed)}\nThen, when it was disposed of: ${told(error.error)}`
}

function told(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
}
