import { canonicalJson, digestOfData } from './graph/digest.ts'
import type { Vertex } from './graph/types.ts'
import { SharedWork } from '#lib'
import type { VertexDisplay } from './solver/vertex-display.ts'
import type { ImageRequest, ResolvedImage, Step } from './types.ts'

/** What images were when one build first asked: a tag that moves meanwhile does not split it. */
export class KnownImages {
  readonly #images = new SharedWork<string, ResolvedImage>({ remember: true })
  readonly #resolve: (request: ImageRequest, step: Step) => Promise<ResolvedImage>
  readonly #display: VertexDisplay
  readonly #step: (vertex: Vertex, signal: AbortSignal) => Step

  constructor(deps: {
    resolve: (request: ImageRequest, step: Step) => Promise<ResolvedImage>
    display: VertexDisplay
    step: (vertex: Vertex, signal: AbortSignal) => Step
  }) {
    this.#resolve = deps.resolve
    this.#display = deps.display
    this.#step = deps.step
  }

  /** Shown as a vertex of the request's name. */
  async resolve(request: ImageRequest, signal: AbortSignal): Promise<ResolvedImage> {
    return await this.#images.join(canonicalJson({ ...request, name: undefined }), signal, async (own) => {
      const vertex = asVertex(request)
      const shown = this.#display.start(vertex)
      try {
        const image = await this.#resolve(request, this.#step(vertex, own))
        shown.done()
        return image
      } catch (error) {
        shown.failed(error)
        throw error
      }
    })
  }

  settled(): Promise<void> {
    return this.#images.settled()
  }
}

/** In no graph, but shown as if it were. */
function asVertex({ name, reference, platform, resolveMode }: ImageRequest): Vertex {
  return {
    id: digestOfData({ metadata: reference, platform, resolveMode }),
    op: { kind: 'image', reference, platform, resolveMode },
    inputs: [],
    meta: { name },
  }
}
