import type { DebugContainer } from '../types.ts'
import { SIGKILL } from '#kernel'
import type { ProgramConnection } from './program-connection.ts'

type Program = Pick<Awaited<ReturnType<DebugContainer['run']>>, 'exited' | 'kill'>

/** Milliseconds that a program has to end after its connection has. */
const PATIENCE = 5000

/** How a program that is answered has ended. `cut`: it went on without its connection, and was killed. */
export type ProgramEnding = { readonly code: number } | 'cut'

/**
 * Waits for the end of a program. One that has cut itself off, or says what nobody understands, is killed: at once unless it is on its way to its end, having closed
 * its output or handed over its result (`isDone`).
 */
export async function programEnding(
  program: Program,
  { duplex, isEnded }: ProgramConnection,
  isDone: () => boolean,
): Promise<ProgramEnding> {
  const { exited } = program
  const closed = new Promise<void>((resolve) => duplex.once('close', resolve))
  const first = await Promise.race([exited.then((code) => ({ code })), closed])
  if (first !== undefined) {
    // What it wrote last is still being read.
    await within(closed)
    return first
  }
  const ended = isEnded() || isDone() ? await within(exited) : undefined
  if (ended !== undefined) return { code: ended }
  await program.kill(SIGKILL).catch(() => undefined) // It has just ended by itself.
  await exited
  return 'cut'
}

/** What `event` gives, or undefined when it takes too long. */
async function within<T>(event: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), PATIENCE)
  try {
    return await Promise.race([event, promise])
  } finally {
    clearTimeout(timer)
  }
}
