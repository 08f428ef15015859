import { codeOf } from '#errors'
import type { ImageService } from '#images'
import { compileListFilter } from './list-filter.ts'
import { isActive } from './state.ts'
import { statusText } from './status-text.ts'
import type { Container, ContainerService, ContainerSummary } from './types.ts'

type ListOptions = Parameters<ContainerService['list']>[0]

export interface ListDeps {
  /** Every container that exists, oldest first. */
  containers: readonly Container[]
  /** By reference; throws NOT_FOUND. */
  find(ref: string): Container
  images: Pick<ImageService, 'get' | 'list'>
  /** Bytes of writable layer and of everything the container sees. */
  usage(id: string): Promise<{ sizeRw: number; sizeRootFs: number; disk: number }>
  /** Nanoseconds since the epoch. */
  now: bigint
}

/**
 * `docker ps`: newest first. Without `all`, a limit or a status filter, only what runs. A limit counts containers of every state.
 * Throws INVALID_ARGUMENT for filters that do not exist, NOT_FOUND when `before` or `since` names nothing.
 */
export async function listContainers(options: ListOptions, deps: ListDeps): Promise<ContainerSummary[]> {
  const names = new Map<string, string>()
  const links = linkNames(deps.containers)
  const summaries: ContainerSummary[] = []
  for (const container of selectContainers(options, deps)) {
    const imageName = shownImage(container, deps.images, names)
    const sizes = options.size ? await deps.usage(container.id).catch(noneIfGone) : {}
    if (sizes === undefined) continue
    const linked = links.get(container.id)
    summaries.push({ container, imageName, ...(linked && { linkNames: linked }), status: statusText(container, deps.now), ...sizes })
  }
  return summaries
}

/** A container that is removed while others are measured is not listed. */
function noneIfGone(error: unknown): undefined {
  if (codeOf(error) !== 'NOT_FOUND') throw error
}

/** By id of the container that the link leads to. */
function linkNames(containers: readonly Container[]): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const { name, links = [] } of containers) {
    for (const { containerId, alias } of links) names.set(containerId, [...(names.get(containerId) ?? []), `${name}/${alias}`])
  }
  return names
}

function selectContainers({ all, limit, filters }: ListOptions, deps: ListDeps): Container[] {
  const passes = compileListFilter(filters, {
    ids: deps.containers.map(({ id }) => id),
    imagesFrom: (ref) => descendants(ref, deps.images),
  })
  // Of several values the last one counts, as with Docker.
  const [before, since] = [filters['before']?.at(-1), filters['since']?.at(-1)].map((ref) =>
    ref === undefined ? undefined : deps.find(ref).id,
  )
  const everyState = all || limit > 0 || (filters['status']?.length ?? 0) > 0
  const selected: Container[] = []
  let waitsForBefore = before !== undefined
  for (const container of deps.containers.toReversed()) {
    if (waitsForBefore) {
      waitsForBefore = container.id !== before
      continue
    }
    if (container.id === since || (limit > 0 && selected.length === limit)) break
    if ((everyState || isShownByDefault(container)) && passes(container)) selected.push(container)
  }
  return selected
}

/** A container between two tries of its restart policy counts as running. */
function isShownByDefault({ state }: Container): boolean {
  return isActive(state) || state.status === 'restarting'
}

/** The image and all built on it, by the parents that builds record. An image that does not exist has none. */
function descendants(ref: string, images: ListDeps['images']): Set<string> {
  let root: string
  try {
    root = images.get(ref).id
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND' || codeOf(error) === 'INVALID_ARGUMENT') return new Set()
    throw error
  }
  const children = Map.groupBy(images.list({ all: true, filters: { reference: [], label: [], labelNot: [] } }), ({ parent }) => parent)
  const found = new Set([root])
  // A set may grow while it is iterated: each image found is asked for its own children.
  for (const id of found) for (const child of children.get(id as `sha256:${string}`) ?? []) found.add(child.id)
  return found
}

/** The name the container was made with, while it still means the same image; else the image's id. */
function shownImage({ config, imageId }: Container, images: ListDeps['images'], known: Map<string, string>): string {
  if (config.image === imageId) return imageId
  let current = known.get(config.image)
  if (current === undefined) {
    try {
      current = images.get(config.image).id
    } catch {
      current = ''
    }
    known.set(config.image, current)
  }
  return current === imageId ? config.image : imageId
}
