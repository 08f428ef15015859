import { posix } from 'node:path'
import { invalidArgument } from '#errors'
import { randomId } from '#lib'
import { checkMount, parseBind, parseVolumesFrom, type ParsedMount } from './parse-bind.ts'
import type { ContainerConfig, HostConfig } from './configuration.ts'
import type { Container, MountPoint } from './types.ts'

/** A mount point with what only its creation needs to know. */
export interface PlannedMount {
  point: MountPoint
  /** Copy the image's content into the volume when it is empty. */
  copy: boolean
}

/** SELinux' shared label, which Docker shows as the mode of every volume that was given none. */
const DEFAULT_VOLUME_MODE = 'z'

/**
 * All mounts of a new container, in the order of Docker's precedence: `--volumes-from`, then `-v`, then `--mount`, then anonymous volumes for
 * the paths of VOLUME that nothing else covers. Anonymous volumes get their names here, so that the intent row of the creation names them.
 * `find` looks up containers of `--volumes-from`, `imageId` the images of mounts. Throws INVALID_ARGUMENT for a target named twice.
 */
export function planMounts(
  config: Pick<ContainerConfig, 'volumes'>,
  host: Pick<HostConfig, 'binds' | 'mounts' | 'volumesFrom' | 'volumeDriver' | 'tmpfs'>,
  find: (ref: string) => Container,
  imageId: (ref: string) => string,
): PlannedMount[] {
  const planned = new Map<string, PlannedMount>()
  for (const raw of host.volumesFrom) {
    const { ref, mode } = parseVolumesFrom(raw)
    const readOnly = mode.split(',').includes('ro')
    for (const point of find(ref).mounts) {
      planned.set(point.destination, { point: { ...point, rw: point.rw && !readOnly }, copy: false })
    }
  }
  const asked = new Set(Object.keys(host.tmpfs).map((path) => posix.normalize(path)))
  const add = (mount: ParsedMount): void => {
    if (asked.has(mount.destination)) throw invalidArgument(`Duplicate mount point: ${mount.destination}`)
    asked.add(mount.destination)
    const point = pointOf(mount)
    if (point.type === 'image') point.spec = { ...point.spec, source: imageId(point.name) }
    planned.set(mount.destination, { point, copy: mount.copy })
  }
  for (const raw of host.binds) add(parseBind(raw, host.volumeDriver))
  for (const request of host.mounts) add(checkMount(request))
  for (const path of config.volumes) {
    const destination = posix.normalize(path)
    if (!destination.startsWith('/')) throw invalidArgument(`invalid mount path: '${path}' mount path must be absolute`)
    if (planned.has(destination) || asked.has(destination)) continue
    const request = { type: 'volume', source: '', target: destination, readOnly: false, consistency: '' } as const
    const mount = checkMount({
      ...request,
      volume: { noCopy: false, labels: {}, driver: host.volumeDriver, driverOptions: {}, subpath: '' },
    })
    planned.set(mount.destination, { point: { ...pointOf(mount), mode: '' }, copy: true })
  }
  return [...planned.values()]
}

function pointOf({ request, mode, destination, propagation, readOnly }: ParsedMount): MountPoint {
  const point = { type: request.type, name: '', source: '', destination, driver: '', mode, rw: !readOnly, propagation, spec: request }
  if (request.type === 'bind') {
    return { ...point, source: posix.normalize(request.source), ...(request.bind?.idmap && { idmap: request.bind.idmap }) }
  }
  // Nobody writes into an image.
  if (request.type === 'image') return { ...point, name: request.source, rw: false }
  if (request.type !== 'volume') return point
  return {
    ...point,
    name: request.source === '' ? randomId() : request.source,
    driver: request.volume?.driver ?? '',
    mode: mode || DEFAULT_VOLUME_MODE,
  }
}

/** Volumes that live and die with the container (`rm -v`, `--rm`). */
export function anonymousVolumes(container: Pick<Container, 'mounts'>): string[] {
  return container.mounts.filter(({ type, spec }) => type === 'volume' && spec.source === '').map(({ name }) => name)
}

export function volumesOf(container: Pick<Container, 'mounts'>): string[] {
  return container.mounts.filter(({ type }) => type === 'volume').map(({ name }) => name)
}
