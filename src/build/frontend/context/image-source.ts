import type { Platform } from '#oci'
import type { ImageSource, ResolveMode } from '../../graph/types.ts'
import type { ResolvedImage } from '../../types.ts'

/** The source for an image that was looked up, so that it is the same one when its layers are asked for. */
export function imageSource(
  { reference, chain }: Pick<ResolvedImage, 'reference' | 'chain'>,
  platform: Platform,
  resolveMode: ResolveMode,
): ImageSource {
  return { kind: 'image', reference, platform, resolveMode, ...(chain !== undefined && { chain }) }
}
