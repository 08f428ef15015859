import type { ImageDeleteItem } from '#api'
import { DaemonError, pruneBuilds, pruneContainers, pruneImages, pruneNetworks, pruneVolumes, type Filters } from '#client'
import { humanSize } from '#lib'
import type { Cli } from '../cli.ts'
import { confirm } from '../terminal/confirm.ts'

/** What one prune call removed: the text to print, and how much space came free (undefined: nobody counts). */
export interface Pruned {
  text: string
  reclaimed?: number
}

/** Filters of the command line and those of `pruneFilters` in the configuration, which give way to an opposite on the command line. */
export function pruneFilters(cli: Cli, given: Filters): Filters {
  const result: Filters = { ...given }
  for (const entry of cli.config.pruneFilters ?? []) {
    const equals = entry.indexOf('=')
    if (equals < 0) continue
    const name = entry.slice(0, equals)
    const value = entry.slice(equals + 1)
    const opposite = name === 'label' ? 'label!' : name === 'label!' ? 'label' : undefined
    if (opposite !== undefined && given[opposite]?.includes(value) === true) continue
    const values = result[name] ?? []
    if (!values.includes(value)) result[name] = [...values, value]
  }
  return result
}

export async function pruneStoppedContainers(cli: Cli, filters: Filters): Promise<Pruned> {
  const { ContainersDeleted, SpaceReclaimed } = await pruneContainers(cli.engine(), pruneFilters(cli, filters))
  return { text: section('Containers', ContainersDeleted ?? []), reclaimed: SpaceReclaimed }
}

export async function pruneUnusedNetworks(cli: Cli, filters: Filters): Promise<Pruned> {
  const { NetworksDeleted } = await pruneNetworks(cli.engine(), pruneFilters(cli, filters))
  return { text: section('Networks', NetworksDeleted ?? []) }
}

export async function pruneUnusedVolumes(cli: Cli, filters: Filters): Promise<Pruned> {
  const { VolumesDeleted, SpaceReclaimed } = await pruneVolumes(cli.engine(), pruneFilters(cli, filters))
  return { text: section('Volumes', VolumesDeleted ?? []), reclaimed: SpaceReclaimed }
}

/** Dangling images, or with `all` every image without a container. */
export async function pruneUnusedImages(cli: Cli, filters: Filters, all: boolean): Promise<Pruned> {
  const { ImagesDeleted, SpaceReclaimed } = await pruneImages(cli.engine(), { ...pruneFilters(cli, filters), dangling: [String(!all)] })
  return { text: section('Images', (ImagesDeleted ?? []).map(deletedLine)), reclaimed: SpaceReclaimed }
}

/** Build cache. An engine that does not build answers 501 and has none. */
export async function pruneBuildCache(cli: Cli, filters: Filters, options: { all: boolean; keep: number }): Promise<Pruned> {
  try {
    const { CachesDeleted, SpaceReclaimed } = await pruneBuilds(cli.engine(), pruneFilters(cli, filters), options)
    const deleted = CachesDeleted ?? []
    return { text: deleted.length === 0 ? '' : `Deleted build cache objects:\n${deleted.join('\n')}\n`, reclaimed: SpaceReclaimed }
  } catch (error) {
    if (error instanceof DaemonError && error.status === NOT_IMPLEMENTED) return { text: '', reclaimed: 0 }
    throw error
  }
}

const NOT_IMPLEMENTED = 501

/** Asks unless forced, prunes, prints what went and how much space it took. Resolves with the status. */
export async function pruneAndReport(
  cli: Cli,
  options: { force: boolean; question: string },
  prune: () => Promise<Pruned>,
): Promise<number> {
  if (!options.force && !(await confirm(cli, options.question))) return 0
  const { text, reclaimed } = await prune()
  if (text !== '') cli.print(text)
  if (reclaimed !== undefined) cli.print(`Total reclaimed space: ${humanSize(reclaimed)}`)
  return 0
}

/** `Untagged: x` and `Deleted: sha256:…`, in small letters. */
function deletedLine(item: ImageDeleteItem): string {
  return 'Untagged' in item && item.Untagged !== '' ? `untagged: ${item.Untagged}` : `deleted: ${'Deleted' in item ? item.Deleted : ''}`
}

function section(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `Deleted ${title}:\n${items.map((item) => `${item}\n`).join('')}`
}
