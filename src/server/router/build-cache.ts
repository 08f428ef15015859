/** What is done to builds beside building: ending one, and deleting what they have left. */

import type { BuildPruneReport } from '#api'
import type { BuildService, CacheFilters } from '#build'
import { invalidArgument } from '#errors'
import { parseGoDuration } from '#lib'
import { parseFilters, type Filters } from '../decode/filters.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'

interface BuildCacheDeps {
  builds: Pick<BuildService, 'cancel' | 'prune'>
}

export function buildCacheRoutes(deps: BuildCacheDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/build/prune',
      since: 31,
      summary: 'Delete the build cache',
      handle: (context) => prune(deps, context),
    },
    {
      method: 'POST',
      path: '/build/cancel',
      summary: 'End a build',
      async handle(context) {
        const id = context.query.text('id')
        if (id === '') throw invalidArgument('build ID not provided')
        deps.builds.cancel(id)
        context.empty(200)
      },
    },
  ]
}

/** Ages are two names for one thing; the rest says which records. Source: moby daemon/internal/builder-next, toBuildkitPruneInfo. */
const AGES = ['until', 'unused-for']
const RECORDS = ['id', 'parent', 'type', 'description', 'inuse', 'shared', 'private']

async function prune({ builds }: BuildCacheDeps, context: RequestContext): Promise<void> {
  const { query, signal } = context
  const filters = parseFilters(query.text('filters'), [...AGES, ...RECORDS])
  const deleted = await builds.prune({
    all: query.bool('all'),
    keepDuration: age(filters),
    filters: recordFilters(filters),
    // The second one is its name up to API 1.47.
    reservedSpace: bytes(context, 'reserved-space') || bytes(context, 'keep-storage'),
    maxUsedSpace: bytes(context, 'max-used-space'),
    minFreeSpace: bytes(context, 'min-free-space'),
    signal,
  })
  const report: BuildPruneReport = {
    CachesDeleted: deleted.length > 0 ? deleted.map(({ id }) => id) : null,
    SpaceReclaimed: deleted.reduce((sum, { size, shared }) => sum + (shared ? 0 : size), 0),
  }
  context.json(200, report)
}

/** Milliseconds; 0: any. */
function age(filters: Filters): number {
  const given = AGES.filter((name) => (filters[name] ?? []).length > 0)
  if (given.length > 1) throw invalidArgument('conflicting filters: cannot specify both "until" and "unused-for"')
  const [name = ''] = given
  const [text, ...others] = filters[name] ?? []
  if (text === undefined) return 0
  if (others.length > 0) throw invalidArgument('filters expect only one value')
  try {
    return parseGoDuration(text) / 1_000_000
  } catch (error) {
    throw invalidArgument(`"${name}" filter expects a duration (e.g., '24h')`, error)
  }
}

function recordFilters(filters: Filters): CacheFilters {
  const given = Object.entries(filters).filter(([name]) => RECORDS.includes(name))
  if (given.some(([, values]) => values.length > 1)) throw invalidArgument('filters expect only one value')
  return Object.fromEntries(given)
}

function bytes({ query }: RequestContext, name: string): number {
  const value = query.integer(name) ?? 0
  if (value < 0) throw invalidArgument(`${name} is in bytes and expects an integer, got ${value}`)
  return value
}
