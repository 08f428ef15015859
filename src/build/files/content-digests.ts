import type { Files } from '#kernel'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import type { JobRunner, Snapshotter } from '#snapshots'
import { canonicalJson } from '../graph/digest.ts'
import type { Ref } from '../graph/ref.ts'
import { SharedWork } from '#lib'
import type { ContentDigests, ContentSelection } from '../types.ts'
import type { DigestInput, DigestOutput } from './digest-tree.ts'
import { absent, names } from './find-path.ts'
import { openRef } from './open-ref.ts'
import { createRecent } from './recent.ts'
import { hasWildcard } from './wildcards.ts'

export interface ContentDigestsDeps {
  snapshotter: Pick<Snapshotter, 'view'>
  files: Files
  jobs: JobRunner
}

/** Digests that are remembered, of file systems that do not change. */
const MAX_DIGESTS = 4096
/** Sent directories whose files' digests are remembered; some 70 bytes for each file. */
const MAX_DIRECTORIES = 32

/**
 * {@link ContentDigests} made in worker threads. Those of whole selections are remembered by chain, or by the generation of a sent directory; those of single
 * files of such a directory as long as the file looks the same, so that the next generation costs a look at each file and a read of what has changed.
 */
export function createContentDigests(deps: ContentDigestsDeps): ContentDigests {
  const shared = new SharedWork<string, Digest>()
  const digests = createRecent<string, Digest>(MAX_DIGESTS)
  const files = createRecent<string, Uint8Array>(MAX_DIRECTORIES)

  async function compute(ref: Ref, input: Omit<DigestInput, 'rootFd'>, signal: AbortSignal): Promise<DigestOutput> {
    using root = openRef(deps, ref)
    if (root === undefined) return { digest: digestOfNothing(input.selection), known: undefined }
    return (await deps.jobs.run({ kind: 'task', task: 'build-digest', input: { ...input, rootFd: root.fd } }, { signal })) as DigestOutput
  }

  return {
    async digest(ref, selection, signal) {
      const key = canonicalJson([nameOf(ref), selection])
      const known = digests.get(key)
      if (known !== undefined) return known
      return await shared.join(key, signal, async (own) => {
        const before = ref.kind === 'directory' ? { known: files.get(ref.path) ?? new Uint8Array() } : {}
        const { digest, known: after } = await compute(ref, { selection, ...before }, own)
        if (ref.kind === 'directory' && after !== undefined) files.set(ref.path, after)
        digests.set(key, digest)
        return digest
      })
    },
  }
}

/** Equal names are equal content. */
function nameOf(ref: Ref): string {
  return ref.kind === 'directory' ? `${ref.path} ${ref.generation}` : (ref.chain ?? '')
}

/** An empty file system has a root, and nothing else that could be named. */
function digestOfNothing({ path, wildcard }: ContentSelection): Digest {
  if (names(path).length > 0 && !(wildcard && hasWildcard(path))) throw absent(path)
  return digestOf('')
}
