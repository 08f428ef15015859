import { resolve } from 'node:path'
import { codeOf } from '#errors'
import type { Context } from './context.ts'

/** Bytes of the writable layer, and with those of the image; `disk` is what the writable layer takes of the disk. An image that was removed by force counts nothing. */
export async function containerUsage(ctx: Context, ref: string): Promise<{ sizeRw: number; sizeRootFs: number; disk: number }> {
  const { id, imageId } = ctx.store.find(ref).record
  const { size, disk } = await ctx.deps.snapshotter.usage(id)
  const image =
    imageId === ''
      ? undefined
      : ctx.deps.images.list({ all: true, filters: { reference: [], label: [], labelNot: [] } }).find((item) => item.id === imageId)
  return { sizeRw: size, sizeRootFs: size + (image?.size ?? 0), disk }
}

/** See `ContainerService.directories`. */
export function layerDirectories(ctx: Context, ref: string): { lower: string[]; upper: string; work: string } | undefined {
  const { id } = ctx.store.find(ref)
  try {
    const { cwd, lower, upper, work } = ctx.deps.snapshotter.overlay(id)
    return { lower: lower.map((path) => resolve(cwd, path)), upper: resolve(cwd, upper), work: resolve(cwd, work) }
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND') return undefined
    throw error
  }
}
