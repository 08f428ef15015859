/** `/exec` and `/containers/{id}/exec`. */

import { encodeFrame } from '#api'
import type { AttachedIo, ContainerService } from '#containers'
import { codeOf, invalidArgument } from '#errors'
import type { HijackContext } from '../hijack-context.ts'
import { messageOf } from '../http-status.ts'
import type { Route } from '../route.ts'
import { EMPTY_EXEC_REQUEST, encodeExec, execRequest, execStart } from '../wire/exec.ts'

export function execRoutes({ containers }: { containers: ContainerService }): Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/{name*}/exec',
      summary: 'Prepare a further process in a running container',
      async handle(context) {
        const sent = await context.readJson(execRequest)
        if (sent.cmd === undefined || sent.cmd.length === 0) throw invalidArgument('No exec command specified')
        const { id } = await containers.createExec(context.param('name'), { ...EMPTY_EXEC_REQUEST, ...sent })
        context.json(201, { Id: id })
      },
    },
    {
      method: 'GET',
      path: '/exec/{id}/json',
      summary: 'Inspect an exec',
      handle(context) {
        context.json(200, encodeExec(containers.getExec(context.param('id'))))
      },
    },
    {
      method: 'POST',
      path: '/exec/{id}/start',
      summary: 'Run a prepared process',
      hijack: (context) => startExec(containers, context),
    },
    {
      method: 'POST',
      path: '/exec/{id}/resize',
      summary: 'Resize the terminal of an exec',
      async handle(context) {
        const height = context.query.uint32('h', 'invalid resize height')
        const width = context.query.uint32('w', 'invalid resize width')
        await containers.resizeExec(context.param('id'), height, width)
        context.empty(200)
      },
    },
  ]
}

async function startExec(containers: ContainerService, context: HijackContext): Promise<void> {
  const { detach = false, tty = false, consoleSize } = await context.readJson(execStart)
  const exec = containers.getExec(context.param('id'))
  // A size without terminal means nothing.
  const size = tty && consoleSize !== undefined ? { consoleSize } : {}
  let io: AttachedIo | undefined
  try {
    io = await containers.startExec(exec.id, { detach, tty, ...size })
  } catch (error) {
    // A program that cannot be run is told inside the stream, with status 101 or 200: the CLI prints it and takes the exit code from inspect.
    if (detach || codeOf(error) === 'CONFLICT' || codeOf(error) === 'NOT_FOUND') throw error
    const text = `${messageOf(error)}\r\n`
    context.accept(!tty).write(tty ? text : encodeFrame('stdout', text))
    return
  }
  if (io === undefined) context.empty(200)
  else await io.pipe(context.accept(!io.tty))
}
