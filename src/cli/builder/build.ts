import type { Cli } from '../cli.ts'
import type { BuildValues } from './build-flags.ts'
import { failureMessage } from './build-failure.ts'
import { buildRequest, type BuildRequest } from './build-request.ts'
import { showAnswer } from './call-answer.ts'
import { chooseDisplay, progressMode } from './choose-display.ts'
import { openDebugShell } from './debug-shell.ts'
import { nameLocalCaches } from './local-cache.ts'
import { forgetResultFiles, imageId, writeResultFiles } from './result-files.ts'
import { runBuild, type BuildAnswer } from './run-build.ts'

/** As a shell shows a program that SIGINT ended. */
const INTERRUPTED = 130

/**
 * `build`, as its flags say. Answers the status to end with, after having said what is wrong: this file is in a bundle of its own, so that an error's class
 * would not be the one that the command line knows.
 */
export async function build(cli: Cli, flags: BuildValues, context: string): Promise<number> {
  using request = await buildRequest(cli, flags, context)
  const files = { iidfile: flags.iidfile, metadata: flags['metadata-file'] }
  forgetResultFiles(files)
  const mode = request.call === undefined ? progressMode(cli, flags) : 'quiet'
  const answer = await runInterruptibly(cli, flags, request, mode)
  if (typeof answer === 'number') return answer
  if (request.call !== undefined) return showAnswer(cli, request.call, answer.metadata)
  writeResultFiles(files, answer.response)
  nameLocalCaches(request.cacheTo, answer.response)
  if (mode === 'quiet' && imageId(answer.response) !== '') cli.print(imageId(answer.response))
  return 0
}

/** What the engine answers, or the status of a build that came to nothing. */
async function runInterruptibly(cli: Cli, flags: BuildValues, request: BuildRequest, mode: string): Promise<BuildAnswer | number> {
  const display = chooseDisplay(cli, mode)
  const interrupt = new AbortController()
  const stop = (): void => interrupt.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await runBuild(cli.engine(), request, {
      display,
      signal: interrupt.signal,
      ...(flags.debug && { onFailure: (running, error) => openDebugShell(cli, running, error, display) }),
    })
  } catch (error) {
    const { excerpt, message } = failureMessage(error)
    const text = interrupt.signal.aborted ? 'context canceled' : message.replace(/^failed to solve: /, '')
    cli.warn(`${excerpt}ERROR: failed to solve: ${text}`)
    return interrupt.signal.aborted ? INTERRUPTED : 1
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
