import { DaemonError } from '#client'
import type { Cli } from '../../cli.ts'
import { ExitError } from '../../errors.ts'

const DAEMON_FAILED = 125
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127

/** Failures of `run` and `create` are told with the program's name in front and a hint behind; the status says who failed. */
export function createFailure(cli: Cli, verb: 'run' | 'create', error: unknown): ExitError {
  const message = (error as Error).message
  const text = error instanceof DaemonError ? `Error response from daemon: ${message}` : message
  // Texts of our own may speak of missing files too: only the daemon's tell of the container's program.
  const status = error instanceof DaemonError ? startStatus(message) : DAEMON_FAILED
  const hint = `Run '${cli.program} ${verb} --help' for more information`
  return new ExitError(status, `${cli.program}: ${text}\n\n${hint}`)
}

/** The status of a container that could not be started, read from the daemon's text as Docker does: no code comes with it. */
export function startStatus(message: string): number {
  if (message.includes('executable file not found') || message.includes('no such file or directory')) return NOT_FOUND
  if (message.includes('permission denied') || message.includes('is a directory')) return NOT_EXECUTABLE
  return DAEMON_FAILED
}
