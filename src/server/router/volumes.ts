/** `/volumes`. */

import { invalidArgument, notImplemented } from '#errors'
import type { VolumeService, Volume } from '#volumes'
import { booleanFilter, parseFilters, type Filters } from '../decode/filters.ts'
import type { Route } from '../route.ts'
import { encodeVolume, volumeCreate } from '../wire/volume.ts'

export function volumeRoutes({ volumes }: { volumes: VolumeService }): Route[] {
  return [
    {
      method: 'GET',
      path: '/volumes',
      summary: 'List volumes',
      async handle(context) {
        const filters = parseFilters(context.query.text('filters'), ['dangling', 'driver', 'label', 'name'])
        const { volumes: all, warnings } = await volumes.list()
        const list = all.filter((volume) => matchesFilters(volume, filters, volumes))
        context.json(200, { Volumes: list.map(encodeVolume), Warnings: warnings.length > 0 ? warnings : null })
      },
    },
    {
      method: 'POST',
      path: '/volumes/create',
      summary: 'Create a volume',
      async handle(context) {
        const { name = '', driver = '', options = {}, labels = {}, clusterVolumeSpec } = await context.readJson(volumeCreate)
        if (clusterVolumeSpec !== undefined) throw notImplemented('cluster volumes are not implemented in Gantry yet')
        const { volume } = await volumes.create({ name, driver, options, labels, anonymous: name === '' })
        context.json(201, encodeVolume(volume))
      },
    },
    {
      method: 'POST',
      path: '/volumes/prune',
      since: 25,
      summary: 'Delete unused volumes',
      async handle(context) {
        const accepted = context.version >= 42 ? ['all', 'label', 'label!'] : ['label', 'label!']
        const filters = parseFilters(context.query.text('filters'), accepted)
        // Before 1.42 named volumes went, too.
        const all = context.version < 42 || (booleanFilter(filters, 'all') ?? false)
        const { deleted, reclaimed } = await volumes.prune({ all, label: filters['label'] ?? [], labelNot: filters['label!'] ?? [] })
        context.json(200, { VolumesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed })
      },
    },
    {
      method: 'GET',
      path: '/volumes/{name*}',
      summary: 'Inspect a volume',
      async handle(context) {
        context.json(200, encodeVolume(await volumes.get(context.param('name'))))
      },
    },
    {
      method: 'PUT',
      path: '/volumes/{name*}',
      since: 42,
      summary: 'Update a cluster volume',
      refused: true,
      handle() {
        throw notImplemented('cluster volumes are not implemented in Gantry yet')
      },
    },
    {
      method: 'DELETE',
      path: '/volumes/{name*}',
      summary: 'Remove a volume',
      async handle(context) {
        await volumes.remove(context.param('name'), { force: context.query.bool('force') })
        context.empty(204)
      },
    },
  ]
}

/** Names match by part, labels by key or key and value, drivers whole. Source: moby `daemon/volume/service`. */
function matchesFilters(volume: Volume, filters: Filters, volumes: VolumeService): boolean {
  const dangling = booleanFilter(filters, 'dangling')
  if (dangling !== undefined && (volumes.users(volume.name).length === 0) !== dangling) return false
  if (filters['driver'] !== undefined && !filters['driver'].includes(volume.driver)) return false
  if (filters['name'] !== undefined && !filters['name'].some((part) => volume.name.includes(part))) return false
  return (filters['label'] ?? []).every((wanted) => {
    const [key, value] = splitOnce(wanted)
    if (key === '') throw invalidArgument(`invalid filter 'label=${wanted}'`)
    return Object.hasOwn(volume.labels, key) && (value === undefined || volume.labels[key] === value)
  })
}

function splitOnce(text: string): [string, string?] {
  const at = text.indexOf('=')
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
