import { invalidArgument, notImplemented } from '#errors'
import type { LogReadOptions, LogSource } from '#logs'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { maxFile } from './log-config.ts'

/** `docker logs`. Frames where there is no tty. Throws NOT_IMPLEMENTED for a driver that keeps nothing. */
export function containerLogs(
  ctx: Context,
  ref: string,
  options: Omit<LogReadOptions, 'framed'>,
  signal?: AbortSignal,
): { tty: boolean; stream: AsyncIterable<Buffer> } {
  const entry = ctx.store.find(ref)
  if (!options.stdout && !options.stderr) throw invalidArgument('You must choose at least one stream')
  if (entry.record.state.status === 'dead' || entry.removing) {
    throw invalidArgument('can not get logs from container which is dead or marked for removal')
  }
  return readLog(ctx, entry, options, signal)
}

export function readLog(
  ctx: Context,
  entry: ContainerEntry,
  options: Omit<LogReadOptions, 'framed'>,
  signal?: AbortSignal,
): { tty: boolean; stream: AsyncIterable<Buffer> } {
  const { tty } = entry.record.config
  return { tty, stream: ctx.deps.logs.read(logSource(entry), { ...options, framed: !tty }, signal) }
}

function logSource(entry: ContainerEntry): LogSource {
  const { logPath, hostConfig } = entry.record
  if (logPath === '') throw notImplemented('configured logging driver does not support reading')
  return { path: logPath, maxFile: maxFile(hostConfig.logConfig.config), ended: entry.run?.outputEnded ?? Promise.resolve() }
}
