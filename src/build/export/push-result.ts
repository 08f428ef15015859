import { EngineError, codeOf } from '#errors'
import type { ProgressMessage } from '#images'
import { fullName, fullString } from '#oci'
import type { Descriptor, Reference } from '#oci'
import { loginHost } from '../login-host.ts'
import type { AssembledResult, Assembly } from './types.ts'

export interface PushChoice {
  pushByDigest: boolean
  insecure: boolean
  /** The image is one of this engine's, which is known by its digest in the registry afterwards. */
  store: boolean
}

/** Pushes what was assembled under each name, with the client's logins. Errors: those of `images.upload`, with the name in front. */
export async function pushResult(
  { deps, context, vertex }: Assembly,
  { main, manifests, blobs }: AssembledResult,
  names: readonly Reference[],
  { pushByDigest, insecure, store }: PushChoice,
): Promise<void> {
  const { session, signal } = context
  const stored = manifests.map(({ mediaType, digest, size }): Descriptor => ({ mediaType, digest, size }))
  const repositories = new Map(names.map((name) => [pushByDigest ? fullName(name) : fullString(name), name]))
  for (const [shown, name] of repositories) {
    const { tag: _, ...untagged } = name
    const credentials = await session.credentials(loginHost(name))
    try {
      await vertex.step(`pushing ${shown}`, async (count) => {
        await deps.images.upload({
          reference: pushByDigest ? untagged : name,
          blobs,
          manifests: stored,
          insecure,
          signal,
          ...(credentials === undefined ? {} : { credentials }),
          ...(store ? { image: main.config } : {}),
          report: uploadProgress(count),
        })
      })
    } catch (error) {
      throw new EngineError(codeOf(error), `failed to push ${shown}: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** Adds up how far the blobs of an upload have come. */
export function uploadProgress(count: (bytes: number) => void): (message: ProgressMessage) => void {
  const sent = new Map<string, number>()
  return ({ id = '', progress }) => {
    if (progress === undefined) return
    sent.set(id, progress.current)
    count(sent.values().reduce((sum, bytes) => sum + bytes, 0))
  }
}
