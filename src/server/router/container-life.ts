/** Starting, stopping and waiting: `/containers/{id}/start` and its like. */

import { MEDIA_TYPES } from '#api'
import type { ContainerService } from '#containers'
import { EngineError, invalidArgument, notImplemented } from '#errors'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'

const WAIT_CONDITIONS = ['not-running', 'next-exit', 'removed'] as const

export function containerLifeRoutes({ containers }: { containers: ContainerService }): Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/{name*}/start',
      summary: 'Start a container',
      async handle(context) {
        const length = context.request.headers['content-length']
        // Seven characters are less than any object with a member; a nil body is written as `null` or `{}` by old clients.
        if (Number(length ?? 0) > 7 || context.request.headers['transfer-encoding'] !== undefined) {
          throw invalidArgument('starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24')
        }
        if (context.query.text('checkpoint') !== '') {
          throw notImplemented('starting from a checkpoint is not implemented in Gantry yet')
        }
        await containers.start(context.param('name'))
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/containers/{name*}/stop',
      summary: 'Stop a container',
      async handle(context) {
        await containers.stop(context.param('name'), stopOptions(context))
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/containers/{name*}/restart',
      summary: 'Restart a container',
      async handle(context) {
        await containers.restart(context.param('name'), stopOptions(context))
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/containers/{name*}/kill',
      summary: 'Send a signal to a container',
      async handle(context) {
        const name = context.param('name')
        try {
          await containers.kill(name, context.query.text('signal'))
        } catch (error) {
          if (!(error instanceof EngineError)) throw error
          throw new EngineError(error.code, `cannot kill container: ${name}: ${error.message}`, { cause: error })
        }
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/containers/{name*}/pause',
      summary: 'Freeze the processes of a container',
      async handle(context) {
        await containers.pause(context.param('name'))
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/containers/{name*}/unpause',
      summary: 'Thaw the processes of a container',
      async handle(context) {
        await containers.unpause(context.param('name'))
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/containers/{name*}/wait',
      summary: 'Wait until a container ends',
      handle: (context) => waitForExit(containers, context),
    },
    {
      method: 'POST',
      path: '/containers/{name*}/resize',
      summary: 'Resize the terminal of a container',
      async handle(context) {
        const height = context.query.uint32('h', 'invalid resize height')
        const width = context.query.uint32('w', 'invalid resize width')
        await containers.resize(context.param('name'), height, width)
        context.empty(200)
      },
    },
  ]
}

function stopOptions(context: RequestContext): { timeout?: number; signal?: string } {
  const timeout = context.query.integer('t')
  const signal = context.version >= 42 ? context.query.text('signal') : ''
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal === '' ? {} : { signal }) }
}

async function waitForExit(containers: ContainerService, context: RequestContext): Promise<void> {
  const { version } = context
  const asked = version >= 30 ? context.query.text('condition') : ''
  const condition = WAIT_CONDITIONS.find((name) => name === (asked === '' ? 'not-running' : asked))
  if (condition === undefined) throw invalidArgument(`invalid condition: ${JSON.stringify(asked)}`)

  const { result } = await containers.wait(context.param('name'), condition, context.signal)
  // `docker run` starts the container only after it has seen these headers: they say that the wait is registered.
  if (version >= 30) context.startStream(MEDIA_TYPES.json)
  const { exitCode, error } = await result
  const answer = { StatusCode: exitCode, ...(error === undefined ? {} : { Error: { Message: error } }) }
  if (version >= 30) context.response.end(`${JSON.stringify(answer)}\n`)
  else context.json(200, answer)
}
