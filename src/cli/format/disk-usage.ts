import type { BuildCacheRecord, ContainerSummary, ImageSummary, SystemDiskUsage, Volume } from '#api'
import { humanSize } from '#lib'
import { BUILD_CACHE_LIST, buildCacheTotals, buildCacheView } from './build-cache-view.ts'
import { CONTAINER_LIST, containerView } from './container-view.ts'
import { formatList } from './format-list.ts'
import { IMAGE_LIST, imageRows, imageView } from './image-view.ts'
import { View } from './template/values.ts'
import { VOLUME_LIST, volumeView } from './volume-view.ts'

export const DISK_USAGE_TABLE = '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}'
export const DISK_USAGE_HEADERS: Readonly<Record<string, string>> = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
}

const VERBOSE_IMAGES = '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}'
const VERBOSE_CONTAINERS = '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}'
const VERBOSE_VOLUMES = '{{.Name}}\t{{.Links}}\t{{.Size}}'

interface Lists {
  layersSize: number
  images: ImageSummary[]
  containers: ContainerSummary[]
  volumes: Volume[]
  buildCache: BuildCacheRecord[]
}

interface Totals {
  total: number
  active: number
  size: number
  reclaimable: number
  /** Print the share that can be had back, too. */
  percent: boolean
}

/** The lists of a `df` answer, whichever of its two forms the daemon used. */
export function diskUsageLists(usage: SystemDiskUsage): Lists {
  return {
    layersSize: usage.LayersSize ?? usage.ImageUsage?.TotalSize ?? 0,
    images: usage.Images ?? usage.ImageUsage?.Items ?? [],
    containers: usage.Containers ?? usage.ContainerUsage?.Items ?? [],
    volumes: usage.Volumes ?? usage.VolumeUsage?.Items ?? [],
    buildCache: usage.BuildCache ?? usage.BuildCacheUsage?.Items ?? [],
  }
}

/** The rows of `docker system df`. */
export function diskUsageViews(lists: Lists): View[] {
  return [
    totalsView('*formatter.diskUsageImagesContext', 'Images', imageTotals(lists)),
    totalsView('*formatter.diskUsageContainersContext', 'Containers', containerTotals(lists.containers)),
    totalsView('*formatter.diskUsageVolumesContext', 'Local Volumes', volumeTotals(lists.volumes)),
    totalsView('*formatter.diskUsageBuilderContext', 'Build Cache', { ...buildCacheTotals(lists.buildCache), percent: false }),
  ]
}

/** `docker system df -v`. `now` in milliseconds. */
export function verboseDiskUsage({ images, containers, volumes, buildCache }: Lists, now: number): string {
  const options = { truncate: true, now }
  // Only the first tag: the table counts bytes, not names.
  const imageViews = images.map((image) => imageView(firstRow(image), options))
  const containerViews = containers.map((container) => containerView({ ...container, SizeRootFs: 0 }, options))
  const cacheViews = buildCache.map((record) => buildCacheView(record, options))
  return [
    `Images space usage:\n\n${formatList(`table ${VERBOSE_IMAGES}`, imageViews, IMAGE_LIST.headers)}`,
    `Containers space usage:\n\n${formatList(`table ${VERBOSE_CONTAINERS}`, containerViews, CONTAINER_LIST.headers)}`,
    `Local Volumes space usage:\n\n${formatList(`table ${VERBOSE_VOLUMES}`, volumes.map(volumeView), VOLUME_LIST.headers)}`,
    `Build cache usage: ${humanSize(buildCacheTotals(buildCache).size)}\n\n${formatList(`table ${BUILD_CACHE_LIST.table}`, cacheViews, BUILD_CACHE_LIST.headers)}`,
  ].join('\n')
}

function firstRow(image: ImageSummary): ReturnType<typeof imageRows>[number] {
  const [row = { image, repository: '<none>', tag: '<none>', digest: '' }] = imageRows([image], false)
  return row
}

function totalsView(type: string, title: string, totals: Totals): View {
  const share = totals.percent && totals.size > 0 ? ` (${Math.trunc((totals.reclaimable * 100) / totals.size)}%)` : ''
  return new View(type, {
    Type: () => title,
    TotalCount: () => String(totals.total),
    Active: () => String(totals.active),
    Size: () => humanSize(totals.size),
    Reclaimable: () => humanSize(totals.reclaimable) + share,
  })
}

function imageTotals({ images, layersSize }: Lists): Totals {
  // A shared layer is in use when any of its images is: only what an unused image has for itself can be had back, and all of it.
  const used = images
    .filter((image) => image.Containers !== 0 && image.Size !== -1 && image.SharedSize !== -1)
    .reduce((sum, image) => sum + image.Size - image.SharedSize, 0)
  const active = images.filter((image) => image.Containers > 0).length
  return { total: images.length, active, size: layersSize, reclaimable: layersSize - used, percent: true }
}

function containerTotals(containers: readonly ContainerSummary[]): Totals {
  const isActive = ({ State }: ContainerSummary): boolean => ['running', 'paused', 'restarting'].includes(State)
  const bytes = (list: readonly ContainerSummary[]): number => list.reduce((sum, { SizeRw = 0 }) => sum + SizeRw, 0)
  return {
    total: containers.length,
    active: containers.filter(isActive).length,
    size: bytes(containers),
    reclaimable: bytes(containers.filter((container) => !isActive(container))),
    percent: true,
  }
}

function volumeTotals(volumes: readonly Volume[]): Totals {
  const counted = volumes.filter(({ UsageData }) => UsageData !== undefined && UsageData.Size !== -1)
  const bytes = (list: readonly Volume[]): number => list.reduce((sum, { UsageData }) => sum + (UsageData?.Size ?? 0), 0)
  return {
    total: volumes.length,
    active: volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0).length,
    size: bytes(counted),
    reclaimable: bytes(counted.filter(({ UsageData }) => UsageData?.RefCount === 0)),
    percent: true,
  }
}
