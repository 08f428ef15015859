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
