import type { Lease } from '#content'
import { chainIds } from '#oci'
import type { Digest } from '#oci'
import { packTree } from '#snapshots'
import type { ChainId } from '#snapshots'
import type { Ref } from '../graph/ref.ts'
import type { ExporterDeps } from './types.ts'

export interface SealOptions {
  lease: Lease
  signal: AbortSignal
  /** Milliseconds since the epoch: later times of files become it. */
  rewriteTimestamp?: number
  progress?: (bytes: number) => void
}

/** A file system whose layers have diff ids. */
export interface SealedResult {
  /** undefined: empty. */
  chain: ChainId | undefined
  /** Lowest first. */
  diffIds: Digest[]
  /** The chain of each layer, lowest first. */
  chains: ChainId[]
  /** The same before it was sealed: what the build's steps know. */
  built: ChainId[]
  /** Of each layer, lowest first: whether the times of its files were rewritten. Those of layers that came from elsewhere never are. */
  rewritten: boolean[]
}

type SealDeps = Pick<ExporterDeps, 'content' | 'snapshotter' | 'files'>

/** Gives a build's file system the form that images are made of. A directory of the client becomes one layer. */
export async function sealResult(deps: SealDeps, ref: Ref, options: SealOptions): Promise<SealedResult> {
  const { snapshotter } = deps
  const chain = ref.kind === 'layers' ? ref.chain : await packDirectory(deps, ref.path, options)
  if (chain === undefined) return { chain, diffIds: [], chains: [], built: [], rewritten: [] }
  const layers = snapshotter.layersOf(chain)
  const built = chainIds(layers.map(({ id }) => id))
  const rewritten = layers.map(({ isDraft }) => isDraft && options.rewriteTimestamp !== undefined)
  const sealed = await snapshotter.seal(chain, options)
  const diffIds = snapshotter.layersOf(sealed).map(({ id }) => id)
  return { chain: sealed, diffIds, chains: chainIds(diffIds), built, rewritten }
}

async function packDirectory({ content, snapshotter, files }: SealDeps, path: string, { lease, signal }: SealOptions): Promise<ChainId> {
  const blob = await content.ingest(packTree(files, path, { whiteouts: 'none' }), { lease, signal })
  const { diffId } = await snapshotter.unpack(blob.digest, { lease, signal })
  return snapshotter.stack(undefined, diffId, lease)
}
