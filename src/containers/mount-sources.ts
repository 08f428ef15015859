import { mkdirSync, statSync } from 'node:fs'
import { invalidArgument } from '#errors'
import type { Context } from './context.ts'
import { volumesOf } from './mount-points.ts'
import type { Container } from './types.ts'

/**
 * What the mounts of a container need right before a start: volumes with a device are mounted, and of bind sources `-v` makes a directory that
 * is missing where `--mount` refuses. Throws INVALID_ARGUMENT with Docker's text; `releaseMountSources` undoes.
 */
export async function prepareMountSources(ctx: Context, container: Container): Promise<void> {
  for (const { type, source, name, spec } of container.mounts) {
    if (type === 'bind') requireSource(source, spec.bind?.createMountpoint ?? false)
    else if (type === 'volume') await ctx.deps.volumes.activate(name, container.id)
  }
}

/** The container has ended. */
export async function releaseMountSources(ctx: Context, container: Container): Promise<void> {
  for (const name of volumesOf(container)) await ctx.deps.volumes.deactivate(name, container.id)
}

/** Also used at create, where `--mount` refuses first. */
export function requireSource(source: string, make: boolean): void {
  try {
    if (statSync(source, { throwIfNoEntry: false }) !== undefined) return
  } catch (cause) {
    // A file on the way (ENOTDIR), or a loop of links.
    throw invalidArgument(`invalid mount config for type "bind": stat ${source}: ${reason(cause)}`, cause)
  }
  if (!make) throw invalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
  try {
    mkdirSync(source, { recursive: true, mode: 0o755 })
  } catch (cause) {
    throw invalidArgument(`error while creating mount source path '${source}': mkdir ${source}: ${reason(cause)}`, cause)
  }
}

function reason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOTDIR') return 'not a directory'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EROFS') return 'read-only file system'
  if (code === 'EEXIST') return 'file exists'
  return code === 'ELOOP' ? 'too many levels of symbolic links' : String(error)
}
