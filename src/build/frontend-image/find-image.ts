import { fullString, parseReference, withDefaultTag } from '#oci'
import type { ImageConfigFile } from '#oci'
import { imageSource } from '../frontend/context/image-source.ts'
import { createNamedContexts } from '../frontend/context/named-contexts.ts'
import type { FrontendOptions } from '../frontend/options.ts'
import { createSealer } from '../frontend/tree.ts'
import { vertex } from '../graph/digest.ts'
import type { Edge } from '../graph/types.ts'
import type { FrontendHost, FrontendRequest } from '../types.ts'

/** A frontend's file system, and what its config says. */
export interface FrontendImage {
  /** undefined: an empty one. */
  readonly edge: Edge | undefined
  readonly config: Pick<ImageConfigFile, 'config'>
}

/** Whether the client has given something (`--build-context`) that stands for the image of this name. */
export function isReplaced(source: string, options: FrontendOptions, host: FrontendHost): boolean {
  return createNamedContexts(options, {}, host).find(source, host.hostPlatform) !== undefined
}

/**
 * The image `source`, for this machine: what stands for it, else what is here, else what the registry has. Source: moby/buildkit frontend/gateway/gateway.go; which of
 * them comes first: moby builder-next/adapters/containerimage/pull.go.
 */
export async function findFrontendImage(
  source: string,
  options: FrontendOptions,
  { inputs }: FrontendRequest,
  host: FrontendHost,
): Promise<FrontendImage> {
  const platform = host.hostPlatform
  const context = createNamedContexts(options, inputs, host).find(source, platform)
  if (context !== undefined) {
    const { tree, config } = await context.load(new Set(['/']))
    return { edge: createSealer()(tree), config: config ?? {} }
  }
  const reference = fullString(withDefaultTag(parseReference(source)))
  const image = await host.resolveImage({
    reference,
    platform,
    resolveMode: 'local',
    name: `resolve image config for docker-image://${reference}`,
  })
  const op = imageSource(image, platform, 'local')
  return { edge: { vertex: vertex(op, [], { name: `docker-image://${image.reference}` }), output: 0 }, config: image.config }
}
