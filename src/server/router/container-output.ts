/** What a container says and uses: logs, statistics, processes, changed files. */

import { MEDIA_TYPES } from '#api'
import type { ContainerService } from '#containers'
import { invalidArgument, notImplemented } from '#errors'
import { parseTimestamp } from '../decode/timestamp.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { encodeStats } from '../wire/stats.ts'

const CHANGE_KINDS = { modified: 0, added: 1, deleted: 2 } as const

export function containerOutputRoutes({ containers }: { containers: ContainerService }): Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/{name*}/top',
      summary: 'List the processes of a container',
      async handle(context) {
        const { titles, processes } = await containers.top(context.param('name'), context.query.text('ps_args'))
        context.json(200, { Titles: titles, Processes: processes })
      },
    },
    {
      method: 'GET',
      path: '/containers/{name*}/logs',
      summary: 'Read the log of a container',
      handle: (context) => sendLogs(containers, context),
    },
    {
      method: 'GET',
      path: '/containers/{name*}/changes',
      summary: 'What a container has changed in its file system',
      async handle(context) {
        const changes = await containers.changes(context.param('name'))
        context.json(
          200,
          changes.map(({ path, kind }) => ({ Path: path, Kind: CHANGE_KINDS[kind] })),
        )
      },
    },
    {
      method: 'GET',
      path: '/containers/{name*}/stats',
      summary: 'Resource usage of a container',
      handle: (context) => sendStats(containers, context),
    },
  ]
}

async function sendLogs(containers: ContainerService, context: RequestContext): Promise<void> {
  const { query } = context
  const stdout = query.bool('stdout')
  const stderr = query.bool('stderr')
  if (!stdout && !stderr) throw invalidArgument('Bad parameters: you must choose at least one stream')
  if (context.version >= 54 && query.text('format') === 'json')
    throw notImplemented('JSON as a format of logs is not implemented in Gantry yet')
  const since = parseTimestamp(query.text('since'))
  const until = parseTimestamp(query.text('until'))
  // Anything that is no number means all, as with Docker; so does a negative one.
  const tail = /^\d+$/.test(query.text('tail')) ? Number(query.text('tail')) : undefined

  const { tty, stream } = await containers.logs(
    context.param('name'),
    {
      stdout,
      stderr,
      follow: query.bool('follow'),
      timestamps: query.bool('timestamps'),
      details: query.bool('details'),
      ...(since === undefined || since <= 0n ? {} : { since }),
      ...(until === undefined || until <= 0n ? {} : { until }),
      ...(tail === undefined ? {} : { tail }),
    },
    context.signal,
  )
  context.startStream(!tty && context.version >= 42 ? MEDIA_TYPES.multiplexedStream : MEDIA_TYPES.rawStream)
  // One batch ahead: the file is read while the batch before is on its way.
  let written = Promise.resolve(true)
  for await (const batch of stream) {
    if (!(await written)) return
    written = context.write(batch)
  }
  if (await written) context.response.end()
}

async function sendStats(containers: ContainerService, context: RequestContext): Promise<void> {
  const { query, version } = context
  const stream = query.bool('stream', true)
  const oneShot = version >= 41 && query.bool('one-shot')
  // Says 404 before the head is out.
  const { id } = containers.get(context.param('name'))
  const samples = containers.stats(id, { stream, oneShot }, context.signal)
  if (stream) context.startStream(MEDIA_TYPES.json)
  for await (const { current, previous } of samples) {
    const stats = encodeStats(current, previous)
    if (!stream) return context.json(200, stats)
    if (!(await context.write(`${JSON.stringify(stats)}\n`))) return
  }
  if (stream) context.response.end()
}
