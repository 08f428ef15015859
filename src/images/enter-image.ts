import type { Digest } from '#oci'
import { createImages } from './create-image.ts'
import type { CreateDeps, NewImage } from './create-image.ts'
import type { EnterOptions } from './types.ts'

/** What a build has made becomes images; see `ImageService.enter`. Source: moby daemon/containerd/image_builder.go, daemon/images/image_exporter.go. */
export async function enterImage(deps: CreateDeps, options: EnterOptions): Promise<Digest> {
  const { config, parent = '', names, target, variants = [], lease } = options
  const as = target === undefined ? {} : { target }
  const main: NewImage = { config, parent, names: names.map((reference) => ({ reference, ...as })), ...(names.length === 0 ? as : {}) }
  const others = variants.filter((id) => id !== config).map((id) => ({ config: id, parent: '', names: [], isVariant: true }) as const)
  await createImages(deps, [main, ...others], lease, 'create')
  return config
}
