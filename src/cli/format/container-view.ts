import type { ContainerSummary, PortSummary } from '#api'
import { humanDuration, humanSize, shortId } from '#lib'
import { familiarName, familiarString, parseReference } from '#oci'
import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'
import { ellipsis, goTime, labelsText, quote } from './text.ts'

const SIZE_PRECISION = 3
const COMMAND_COLUMNS = 20
const MOUNT_COLUMNS = 15

export const CONTAINER_LIST: ListFormat = {
  table: '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}',
  headers: {
    ID: 'CONTAINER ID',
    Names: 'NAMES',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Size: 'SIZE',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
    Platform: 'PLATFORM',
  },
}

/** A row of `docker ps`. `now` in milliseconds. */
export function containerView(container: ContainerSummary, options: { truncate: boolean; now: number }): View {
  const { truncate } = options
  return new View('*formatter.ContainerContext', {
    ID: () => (truncate ? shortId(container.Id) : container.Id),
    Names: () => namesText(container.Names, truncate),
    Image: () => imageText(container, truncate),
    Command: () => quote(truncate ? ellipsis(container.Command, COMMAND_COLUMNS) : container.Command),
    CreatedAt: () => goTime(container.Created),
    RunningFor: () => `${humanDuration(options.now - container.Created * 1000)} ago`,
    Ports: () => portsText(container.Ports),
    State: () => container.State,
    Status: () => container.Status,
    Size: () => sizeText(container),
    Labels: () => labelsText(container.Labels),
    Label: (name: string) => container.Labels?.[name] ?? '',
    Mounts: () => mountsText(container, truncate),
    LocalVolumes: () => String((container.Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
    Networks: () => Object.keys(container.NetworkSettings?.Networks ?? {}).join(','),
    Platform: () => container.ImageManifestDescriptor?.platform ?? null,
  })
}

/** Names without their slash; aliases of old-style links (`other/alias`) are left out of tables. */
function namesText(names: readonly string[], truncate: boolean): string {
  const plain = (names ?? []).map((name) => name.slice(1))
  const own = truncate ? plain.find((name) => !name.includes('/')) : undefined
  return own ?? plain.join(',')
}

function imageText(container: ContainerSummary, truncate: boolean): string {
  if (container.Image === '') return '<no image>'
  if (!truncate) return container.Image
  const id = shortId(container.ImageID)
  if (id === shortId(container.Image)) return id
  try {
    const reference = parseReference(container.Image)
    const { tag } = reference
    const name = { domain: reference.domain, path: reference.path }
    return tag === undefined ? familiarName(name) : familiarString({ ...name, tag })
  } catch {
    return container.Image // an id, or a name of before there were rules
  }
}

function sizeText(container: ContainerSummary): string {
  const own = humanSize(container.SizeRw ?? 0, SIZE_PRECISION)
  const root = container.SizeRootFs ?? 0
  return root > 0 ? `${own} (virtual ${humanSize(root, SIZE_PRECISION)})` : own
}

function mountsText(container: ContainerSummary, truncate: boolean): string {
  return (container.Mounts ?? [])
    .map((mount) => (mount.Name === undefined || mount.Name === '' ? mount.Source : mount.Name))
    .map((name) => (truncate ? ellipsis(name, MOUNT_COLUMNS) : name))
    .join(',')
}

/** `0.0.0.0:80->80/tcp, 443/tcp`: neighbouring ports with equal numbers inside and outside are drawn together as ranges. */
export function portsText(ports: readonly PortSummary[] | null): string {
  const ranges: string[] = []
  const mappings: string[] = []
  const open = new Map<string, { first: number; last: number }>()
  for (const port of [...(ports ?? [])].sort(comparePorts)) {
    const current = port.PrivatePort
    const address = port.IP ?? ''
    if (address !== '' && port.PublicPort !== current) {
      mappings.push(`${bracketed(address)}:${port.PublicPort ?? 0}->${current}/${port.Type}`)
      continue
    }
    const key = address === '' ? port.Type : `${address}/${port.Type}`
    const range = open.get(key)
    if (range !== undefined && current === range.last + 1) {
      range.last = current
      continue
    }
    if (range !== undefined) ranges.push(rangeText(key, range.first, range.last))
    // Replacing keeps the place of the key, and with it the order of what is still open.
    open.set(key, { first: current, last: current })
  }
  for (const [key, range] of open) ranges.push(rangeText(key, range.first, range.last))
  return [...ranges, ...mappings].join(', ')
}

function rangeText(key: string, first: number, last: number): string {
  const slash = key.indexOf('/')
  const address = slash < 0 ? '' : key.slice(0, slash)
  const type = key.slice(slash + 1)
  const numbers = first === last ? String(first) : `${first}-${last}`
  return address === '' ? `${numbers}/${type}` : `${bracketed(address)}:${numbers}->${numbers}/${type}`
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

function comparePorts(a: PortSummary, b: PortSummary): number {
  if (a.PrivatePort !== b.PrivatePort) return a.PrivatePort - b.PrivatePort
  const [left, right] = [a.IP ?? '', b.IP ?? '']
  if (left !== right) return left < right ? -1 : 1
  if (a.PublicPort !== b.PublicPort) return (a.PublicPort ?? 0) - (b.PublicPort ?? 0)
  return a.Type < b.Type ? -1 : 1
}
