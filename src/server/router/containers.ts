/** `/containers` as a collection, and `/commit`. */

import type { ContainerService } from '#containers'
import { parseFilters, untilFilter } from '../decode/filters.ts'
import { checkPlatformText } from '../decode/platform.ts'
import type { Route } from '../route.ts'
import { containerConfig, toImageConfig } from '../wire/container-config.ts'
import { encodeContainerInspect } from '../wire/container-inspect.ts'
import { encodeContainerSummary } from '../wire/container-list.ts'
import { decodeCreateRequest } from '../wire/create-request.ts'
import { updateConfig } from '../wire/host-config.ts'

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
        context.json(200, encodeContainerInspect(container, context.version, usage, containers.directories(container.id)))
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
