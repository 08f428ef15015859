import { codeOf, EngineError, invalidArgument } from '#errors'
import { chainIds, digestOf, fullString, hexOf, isDigest, parseReference, withDefaultTag } from '#oci'
import type { Reference } from '#oci'
import type { ImageSource, LayoutSource } from '../../graph/types.ts'
import type { ImageRequest, Material, ResolvedImage, SourceResolver, Step } from '../../types.ts'
import { createImageFinder } from './image-finder.ts'
import type { FoundImage, ImageFinderDeps, WantedImage } from './image-finder.ts'
import { imagePurl } from './image-purl.ts'

/** What is needed of whoever asks for a config: no vertex, as frontends ask before there are any. */
export type ResolveContext = Pick<Step, 'session' | 'sessionOf' | 'signal' | 'lease' | 'status'>

/** Everything that comes as an image. */
export interface ImageSources extends Disposable {
  readonly image: SourceResolver<ImageSource>
  readonly layout: SourceResolver<LayoutSource>
  /**
   * Config and digest of an image; see `ImageRequest`. Throws `failed to resolve source metadata for docker.io/library/nope:latest: …`. A session with
   * `namesImages` gets the whole image into the store, under its name, as clients of the classic builder expect.
   */
  resolveImage(request: ImageRequest, context: ResolveContext): Promise<ResolvedImage>
}

export function createImageSources(deps: ImageFinderDeps): ImageSources {
  const finder = createImageFinder(deps)

  return {
    image: {
      async identify(source, step) {
        const wanted = fromRegistry(source)
        const found = await finder.find(wanted, step)
        const chain = source.chain ?? found.image?.chain
        if (chain !== undefined) step.lease.hold(chain)
        const pinned = { ...source, reference: fullString(found.reference), ...(chain !== undefined && { chain }) }
        return { key: chain ?? keyOf(found), pinned, material: materialOf('docker', wanted, found) }
      },
      async fetch(source, step) {
        // Not looked up again: its name may have been given to another image meanwhile, which would be kept by the key of this one.
        if (source.chain === undefined) return { kind: 'layers', chain: await finder.fetch(fromRegistry(source), step) }
        step.lease.hold(source.chain)
        return { kind: 'layers', chain: source.chain }
      },
    },
    layout: {
      async identify(source, step) {
        const wanted = fromLayout(source, step)
        const found = await finder.find(wanted, step)
        return { key: keyOf(found), pinned: source, material: materialOf('oci', wanted, found) }
      },
      fetch: async (source, step) => ({ kind: 'layers', chain: await finder.fetch(fromLayout(source, step), step) }),
    },
    async resolveImage(request, context) {
      const { layout: store, session, ...rest } = request
      const wanted =
        store === undefined ? fromRegistry(rest) : fromLayout({ ...rest, store, ...(session !== undefined && { session }) }, context)
      try {
        const isNamed = store === undefined && context.session.namesImages === true
        if (isNamed) await finder.pull(wanted, context)
        const { reference, digest, config, image } = await finder.find(isNamed ? { ...wanted, resolveMode: 'local' } : wanted, context)
        // What has a digest is the same tomorrow.
        const chain = reference.digest === undefined ? image?.chain : undefined
        if (chain !== undefined) context.lease.hold(chain)
        return {
          reference: store === undefined ? fullString(reference) : request.reference,
          digest,
          config,
          ...(chain !== undefined && { chain }),
        }
      } catch (error) {
        throw unresolved(error, store === undefined ? fullString(wanted.reference) : request.reference)
      }
    },
    [Symbol.dispose]: () => finder[Symbol.dispose](),
  }
}

function fromRegistry({ reference, platform, resolveMode }: Pick<ImageSource, 'reference' | 'platform' | 'resolveMode'>): WantedImage {
  return { reference: withDefaultTag(parseReference(reference)), platform, resolveMode }
}

function fromLayout(
  source: Pick<LayoutSource, 'reference' | 'platform' | 'session' | 'store'>,
  step: Pick<Step, 'sessionOf'>,
): WantedImage {
  const { reference, platform, session, store } = source
  return { reference: layoutReference(reference), platform, resolveMode: 'pull', layout: { session: step.sessionOf(session), store } }
}

/** Only the digest counts: the client has looked up the tag. Source: moby/buildkit source/containerimage/ocilayout.go. */
function layoutReference(text: string): Reference {
  const digest = text.slice(text.indexOf('@') + 1)
  if (!isDigest(digest)) throw invalidArgument(`oci-layout reference "${text}" must have a digest`)
  return { domain: '', path: text.slice(0, text.indexOf('@')), digest }
}

/** By its layers: however an image came here, and whatever else is in its config, it is this file system. */
function keyOf({ config }: FoundImage): string {
  return chainIds(config.rootfs.diff_ids).at(-1) ?? digestOf(Buffer.alloc(0))
}

function materialOf(type: 'docker' | 'oci', { reference, platform }: WantedImage, { digest }: FoundImage): Material {
  return { uri: imagePurl(type, reference, platform), digest: { sha256: hexOf(digest) } }
}

function unresolved(error: unknown, name: string): unknown {
  if (!(error instanceof EngineError) || codeOf(error) === 'CANCELLED') return error
  return new EngineError(error.code, `failed to resolve source metadata for ${name}: ${error.message}`, { cause: error })
}
