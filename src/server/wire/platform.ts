/** A platform as OCI has it in JSON: in queries, and in configs of images. */

import type { WirePlatform } from '#api'
import { field, struct, text, textList, type StructCodec } from './codec.ts'

export const platform: StructCodec<WirePlatform> = struct<WirePlatform>('v1.Platform', {
  architecture: field('architecture', text),
  os: field('os', text),
  'os.version': field('os.version', text),
  'os.features': field('os.features', textList),
  variant: field('variant', text),
})
