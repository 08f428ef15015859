/** `GET /system/df`. Source: moby `getDiskUsage`. */

import type { BuildCacheRecord, ContainerSummary, DiskUsageTotals, ImageSummary, SystemDiskUsage, Volume } from '#api'
import { invalidArgument } from '#errors'
import type { ApiServerDeps } from '../backend.ts'
import type { RequestContext } from '../request-context.ts'
import { encodeCacheRecord } from '../wire/build-cache.ts'
import { encodeContainerSummary } from '../wire/container-list.ts'
import { encodeImageSummary } from '../wire/image.ts'
import { encodeVolume } from '../wire/volume.ts'

const OBJECT_TYPES = ['container', 'image', 'volume', 'build-cache'] as const
type ObjectType = (typeof OBJECT_TYPES)[number]

export async function sendDiskUsage(deps: ApiServerDeps, context: RequestContext): Promise<void> {
  const { query, version } = context
  const wanted = chosenTypes(version < 42 ? [] : query.all('type'))
  // Since 1.52 the totals are there; the old flat lists come with them unless `verbose` is given, which moves the lists into the totals.
  const isNewForm = version >= 52 && query.text('verbose') !== ''
  const withItems = isNewForm && parseGoBool(query.text('verbose'))

  const usage: SystemDiskUsage = {}
  if (wanted.has('image')) {
    const totals = await imageUsage(deps, version)
    const { Items = [], ...sums } = totals
    if (version >= 52) usage.ImageUsage = withItems ? totals : sums
    if (!isNewForm) Object.assign(usage, { LayersSize: totals.TotalSize, Images: Items })
  }
  if (wanted.has('container')) {
    const totals = await containerUsage(deps, version)
    const { Items = [], ...sums } = totals
    if (version >= 52) usage.ContainerUsage = withItems ? totals : sums
    if (!isNewForm) usage.Containers = Items
  }
  if (wanted.has('volume')) {
    const totals = await volumeUsage(deps)
    const { Items = [], ...sums } = totals
    if (version >= 52) usage.VolumeUsage = withItems ? totals : sums
    if (!isNewForm) usage.Volumes = Items
  }
  if (wanted.has('build-cache')) {
    const totals = await cacheUsage(deps, version)
    const { Items = [], ...sums } = totals
    if (version >= 52) usage.BuildCacheUsage = withItems ? totals : sums
    if (!isNewForm) usage.BuildCache = Items
    if (version < 42) usage.BuilderSize = totals.TotalSize
  }
  context.json(200, usage)
}

function chosenTypes(names: string[]): Set<ObjectType> {
  if (names.length === 0) return new Set(OBJECT_TYPES)
  return new Set(
    names.map((name) => {
      const type = OBJECT_TYPES.find((candidate) => candidate === name)
      if (type === undefined) throw invalidArgument(`unknown object type: ${name}`)
      return type
    }),
  )
}

/** Go's strconv.ParseBool: unlike other booleans of the API this one is checked. */
function parseGoBool(text: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true
  if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false
  throw invalidArgument(`invalid value for verbose: ${text}`)
}

/**
 * An image is active when a container was made of it; what only inactive ones hold can be reclaimed. Sizes are those on the disk, with the
 * blobs: other than in `docker images`, they add up.
 */
async function imageUsage({ images, containers }: ApiServerDeps, version: number): Promise<DiskUsageTotals<ImageSummary>> {
  const users = await imageUsers(containers)
  const disk = await images.diskUsage()
  const list = images.list({ all: false, filters: { reference: [], label: [], labelNot: [] } })
  const items = list.map((image) => {
    const { size, shared } = disk.of(image.id)
    const counts = { containers: users.get(image.id)?.length ?? 0, sharedSize: shared }
    return encodeImageSummary({ ...image, size }, Math.max(version, 51), counts)
  })
  return {
    ActiveCount: items.filter((item) => item.Containers > 0).length,
    TotalCount: items.length,
    TotalSize: disk.total,
    Reclaimable: disk.reclaimable(list.map(({ id }) => id).filter((id) => users.has(id))),
    Items: items.map((item) => (version < 44 ? { ...item, VirtualSize: item.Size } : item)),
  }
}

/** Ids of containers by image id. */
export async function imageUsers(containers: ApiServerDeps['containers']): Promise<Map<string, string[]>> {
  const all = await containers.list({ all: true, limit: 0, size: false, filters: {} })
  const users = new Map<string, string[]>()
  for (const { container } of all) users.set(container.imageId, [...(users.get(container.imageId) ?? []), container.id])
  return users
}

async function containerUsage({ containers }: ApiServerDeps, version: number): Promise<DiskUsageTotals<ContainerSummary>> {
  const list = await containers.list({ all: true, limit: 0, size: true, filters: {} })
  const isActive = (status: string): boolean => status === 'running' || status === 'paused' || status === 'restarting'
  const sum = (members: typeof list): number => members.reduce((total, { disk = 0 }) => total + disk, 0)
  const active = list.filter(({ container }) => isActive(container.state.status))
  return {
    ActiveCount: active.length,
    TotalCount: list.length,
    TotalSize: sum(list),
    Reclaimable: sum(list) - sum(active),
    // What is asked here is the disk; `docker ps --size` tells the bytes of the files.
    Items: list.map(({ disk = 0, ...summary }) => encodeContainerSummary({ ...summary, sizeRw: disk }, version)),
  }
}

async function volumeUsage({ volumes }: ApiServerDeps): Promise<DiskUsageTotals<Volume>> {
  // As in Docker: what a device or a plugin holds is no use of this disk.
  const ownVolumes = volumes.known().filter(({ driver, options }) => driver === 'local' && Object.keys(options).length === 0)
  const items = await Promise.all(
    ownVolumes.map(async (volume) => ({
      ...encodeVolume(volume),
      UsageData: { Size: await volumes.usage(volume.name), RefCount: volumes.users(volume.name).length },
    })),
  )
  const unused = items.filter(({ UsageData }) => UsageData.RefCount === 0)
  const sum = (members: typeof items): number => members.reduce((total, { UsageData }) => total + UsageData.Size, 0)
  return {
    ActiveCount: items.length - unused.length,
    TotalCount: items.length,
    TotalSize: sum(items),
    Reclaimable: sum(unused),
    Items: items,
  }
}

/** What an image has, too, takes no space because of the cache. */
async function cacheUsage({ builds }: ApiServerDeps, version: number): Promise<DiskUsageTotals<BuildCacheRecord>> {
  const records = await builds.diskUsage()
  const sum = (members: typeof records): number => members.reduce((total, { size, shared }) => total + (shared ? 0 : size), 0)
  const active = records.filter(({ inUse }) => inUse)
  return {
    ActiveCount: active.length,
    TotalCount: records.length,
    TotalSize: sum(records),
    Reclaimable: sum(records) - sum(active),
    Items: records.map((record) => encodeCacheRecord(record, version)),
  }
}
