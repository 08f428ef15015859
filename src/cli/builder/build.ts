import type { Cli } from '../cli.ts'
import { ExitError } from '../errors.ts'
import type { BuildValues } from './build-flags.ts'
import { failureMessage } from './build-failure.ts'
import { buildRequest, type BuildRequest } from './build-request.ts'
import { callStatus, printAnswer } from './call-answer.ts'
import { chooseDisplay } from './choose-display.ts'
import { openDebugShell } from './debug-shell.ts'
import { forgetResultFiles, imageId, writeResultFiles } from './result-files.ts'
import { runBuild, type BuildAnswer } from './run-build.ts'

/** As a shell shows a program that SIGINT ended. */
const INTERRUPTED = 130

/** `build`, as its flags say. Throws ExitError when the build fails, after having said why. */
export async function build(cli: Cli, flags: BuildValues, context: string): Promise<void> {
  using request = await buildRequest(cli, flags, context)
  const files = { iidfile: flags.iidfile, metadata: flags['metadata-file'] }
  forgetResultFiles(files)
  const answer = await runInterruptibly(cli, flags, request)
  if (request.options['requestid'] !== undefined) {
    printAnswer(cli, answer.metadata)
    const status = callStatus(answer.metadata)
    if (status !== 0) throw new ExitError(status)
    return
  }
  writeResultFiles(files, answer.response)
  if (flags.quiet && imageId(answer.response) !== '') cli.print(imageId(answer.response))
}

async function runInterruptibly(cli: Cli, flags: BuildValues, request: BuildRequest): Promise<BuildAnswer> {
  const isQuestion = request.options['requestid'] !== undefined
  const display = chooseDisplay(cli, flags.progress, flags.quiet || isQuestion)
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
    if (interrupt.signal.aborted) throw new ExitError(INTERRUPTED, 'ERROR: failed to build: context canceled')
    throw new ExitError(1, `${excerpt}ERROR: ${message.startsWith('failed to') ? message : `failed to build: ${message}`}`)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
