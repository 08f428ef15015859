import { closeSync, mkdirSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { invalidArgument, SyscallError } from '#errors'
import type { LaunchSpec } from '#runtime'
import { O_PATH } from '#snapshots'
import type { Context } from './context.ts'
import { volumesOf } from './mount-points.ts'
import type { Container, MountPoint } from './types.ts'

/**
 * What the mounts of a container need right before a start: volumes with a device are mounted, and of bind sources `-v` makes a directory that
 * is missing where `--mount` refuses. Gives the mounts with the sources they have now: a plugin says where at each start. Throws INVALID_ARGUMENT
 * with Docker's text; `releaseMountSources` undoes.
 */
export async function prepareMountSources(ctx: Context, container: Container): Promise<MountPoint[]> {
  const mounts: MountPoint[] = []
  for (const point of container.mounts) {
    if (point.type === 'bind') await requireSource(point.source, point.spec.bind?.createMountpoint ?? false)
    const source = point.type === 'volume' ? await ctx.deps.volumes.activate(point.name, container.id) : point.source
    if (point.type === 'volume') requireSubpath(ctx, source, point.spec.volume?.subpath ?? '')
    mounts.push(source === point.source ? point : { ...point, source })
  }
  return mounts
}

/** Docker's words for a path that is not there; what the container gets is looked up anew by its launch, and inside the volume again. */
function requireSubpath({ deps: { files } }: Context, source: string, subpath: string): void {
  if (subpath === '') return
  using root = files.openRoot(source)
  try {
    closeSync(files.openInRoot(root.fd, subpath, O_PATH))
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw invalidArgument(`cannot access path ${join(source, subpath)}: ${reason(error)}`, error)
  }
}

/** The directory on which an image is mounted in the container's own mount namespace, from where its target is bound. On the host it stays empty. */
export function makeImagePlace({ deps }: Context, id: string, index: number): string {
  const place = join(deps.paths.containerDirectory(id), `image-${index}`)
  mkdirSync(place, { mode: 0o700 })
  return place
}

/** What is to be mounted on these directories. Throws NOT_FOUND for an image that was removed by force. */
export function imageOverlays({ deps }: Context, { mounts }: Pick<Container, 'mounts'>): NonNullable<LaunchSpec['overlays']> {
  return mounts.flatMap(({ type, source, spec }) => {
    const chain = type === 'image' ? deps.images.get(spec.source).chain : undefined
    return chain === undefined ? [] : [{ target: source, overlay: deps.snapshotter.imageOverlay(chain) }]
  })
}

/** The container has ended. */
export async function releaseMountSources(ctx: Context, container: Container): Promise<void> {
  for (const name of volumesOf(container)) await ctx.deps.volumes.deactivate(name, container.id)
}

/** Also used at create, where `--mount` refuses first. A server of files that is gone may hold up this one container, not the daemon: hence no `…Sync`. */
export async function requireSource(source: string, make: boolean): Promise<void> {
  try {
    await stat(source)
    return
  } catch (cause) {
    // A file on the way (ENOTDIR), or a loop of links.
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
      throw invalidArgument(`invalid mount config for type "bind": stat ${source}: ${reason(cause)}`, cause)
  }
  if (!make) throw invalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
  try {
    await mkdir(source, { recursive: true, mode: 0o755 })
  } catch (cause) {
    throw invalidArgument(`error while creating mount source path '${source}': mkdir ${source}: ${reason(cause)}`, cause)
  }
}

function reason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'no such file or directory'
  if (code === 'ENOTDIR') return 'not a directory'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EROFS') return 'read-only file system'
  if (code === 'EEXIST') return 'file exists'
  return code === 'ELOOP' ? 'too many levels of symbolic links' : String(error)
}
