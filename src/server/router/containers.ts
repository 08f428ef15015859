/** `/containers` and `/commit`. */

import { MEDIA_TYPES } from '#api'
import type { ContainerService } from '#containers'
import { EngineError, invalidArgument, notImplemented } from '#errors'
import { parseFilters, untilFilter } from '../decode/filters.ts'
import { checkPlatformText } from '../decode/platform.ts'
import { parseTimestamp } from '../decode/timestamp.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { containerConfig, toImageConfig } from '../wire/container-config.ts'
import { encodeContainerInspect } from '../wire/container-inspect.ts'
import { encodeContainerSummary } from '../wire/container-list.ts'
import { decodeCreateRequest } from '../wire/create-request.ts'
import { updateConfig } from '../wire/host-config.ts'
import { encodeStats } from '../wire/stats.ts'

const LIST_FILTERS = [
  'ancestor',
  'annotation',
  'before',
  'expose',
  'exited',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
]

const CHANGE_KINDS = { modified: 0, added: 1, deleted: 2 } as const

const WAIT_CONDITIONS = ['not-running', 'next-exit', 'removed'] as const

export function containerRoutes({ containers }: { containers: ContainerService }): Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/json',
      summary: 'List containers',
      async handle(context) {
        const { query, version } = context
        const list = await containers.list({
          all: query.bool('all'),
          // A limit asks for the newest ones, whatever their state; 0 and less for all.
          limit: Math.max(query.integer('limit') ?? 0, 0),
          size: query.bool('size'),
          filters: listFilters(query.text('filters'), query.text('since'), query.text('before')),
        })
        context.json(
          200,
          list.map((summary) => encodeContainerSummary(summary, version)),
        )
      },
    },
    {
      method: 'POST',
      path: '/containers/create',
      summary: 'Create a container',
      async handle(context) {
        const { query, version } = context
        const platform = version >= 41 ? query.text('platform') : ''
        const { request, warnings } = decodeCreateRequest(
          await context.readRawJson(),
          { name: query.text('name'), platform: platform === '' ? '' : checkPlatformText(platform) },
          version,
        )
        const created = await containers.create(request)
        context.json(201, { Id: created.id, Warnings: [...created.warnings, ...warnings] })
      },
    },
    {
      method: 'POST',
      path: '/containers/prune',
      since: 25,
      summary: 'Delete stopped containers',
      async handle(context) {
        const filters = parseFilters(context.query.text('filters'), ['label', 'label!', 'until'])
        const until = untilFilter(filters)
        const { deleted, reclaimed } = await containers.prune({
          ...(until === undefined ? {} : { until }),
          label: filters['label'] ?? [],
          labelNot: filters['label!'] ?? [],
        })
        context.json(200, { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed })
      },
    },
    {
      method: 'GET',
      path: '/containers/{name*}/json',
      summary: 'Inspect a container',
      async handle(context) {
        const container = containers.get(context.param('name'))
        const usage = context.query.bool('size') ? await containers.usage(container.id) : undefined
        context.json(200, encodeContainerInspect(container, context.version, usage))
      },
    },
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
    {
      method: 'POST',
      path: '/containers/{name*}/rename',
      summary: 'Rename a container',
      async handle(context) {
        await containers.rename(context.param('name'), context.query.text('name'))
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/containers/{name*}/update',
      summary: 'Change limits and restart policy',
      async handle(context) {
        const { restartPolicy, ...resources } = await context.readJson(updateConfig)
        if (context.version < 40) delete resources.pidsLimit
        // Anything not positive lifts the limit.
        if (resources.pidsLimit !== undefined) resources.pidsLimit = Math.max(resources.pidsLimit, 0)
        if (resources.memorySwappiness === -1) delete resources.memorySwappiness
        const asksForPolicy = restartPolicy !== undefined && (restartPolicy.name as string) !== ''
        const { warnings } = await containers.update(context.param('name'), {
          resources,
          ...(asksForPolicy ? { restartPolicy } : {}),
        })
        context.json(200, { Warnings: warnings.length > 0 ? warnings : null })
      },
    },
    {
      method: 'DELETE',
      path: '/containers/{name*}',
      summary: 'Remove a container',
      async handle(context) {
        const { query } = context
        await containers.remove(context.param('name'), { force: query.bool('force'), volumes: query.bool('v'), link: query.bool('link') })
        context.empty(204)
      },
    },
    {
      method: 'POST',
      path: '/commit',
      summary: 'Make an image of a container',
      async handle(context) {
        const { query } = context
        const config = await context.readJson(containerConfig)
        const { id } = await containers.commit(query.text('container'), {
          repo: query.text('repo'),
          tag: query.text('tag'),
          comment: query.text('comment'),
          author: query.text('author'),
          pause: query.bool('pause', true),
          changes: query.all('changes'),
          ...(Object.keys(config).length > 0 ? { config: toImageConfig(config) } : {}),
        })
        context.json(201, { Id: id })
      },
    },
  ]
}

/** `since` and `before` were parameters before they were filters. */
function listFilters(text: string, since: string, before: string): Record<string, string[]> {
  const filters = parseFilters(text, LIST_FILTERS)
  if (since !== '') (filters['since'] ??= []).push(since)
  if (before !== '') (filters['before'] ??= []).push(before)
  return filters
}

function stopOptions(context: RequestContext): { timeout?: number; signal?: string } {
  const timeout = context.query.integer('t')
  const signal = context.version >= 42 ? context.query.text('signal') : ''
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal === '' ? {} : { signal }) }
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
  for await (const batch of stream) {
    if (!(await context.write(batch))) return
  }
  context.response.end()
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
