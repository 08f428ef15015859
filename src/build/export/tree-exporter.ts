/**
 * `type=local` and `type=tar`: the files of the result, as a tree or as one archive. Of several platforms each has a directory of its own, `linux_amd64`, unless
 * `platform-split=false`. Source: moby/buildkit exporter/local, exporter/tar.
 */

import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { batched, writeTar } from '#archive'
import type { SolvedResult } from '../types.ts'
import { counted } from './counted.ts'
import type { AttributeReader } from './attributes.ts'
import { epochOf, parseEpoch } from './epoch.ts'
import type { EpochSetting } from './epoch.ts'
import { exportVertex } from './export-vertex.ts'
import { parseProvenance } from './provenance/provenance-options.ts'
import type { ProvenanceOptions } from './provenance/provenance-options.ts'
import { attestTree } from './provenance/attest-tree.ts'
import { combineTrees, fileTree } from './tree/combine-trees.ts'
import type { PlacedTree } from './tree/combine-trees.ts'
import { exportedTree } from './tree/exported-tree.ts'
import { tarEntryOf } from './tree/tar-entry-of.ts'
import type { Assembly, ExporterDeps, PreparedExport } from './types.ts'

interface TreeOptions {
  /** The client's id of the exporter. */
  id: string
  isTar: boolean
  epoch: EpochSetting
  /** undefined: for several platforms. */
  split: boolean | undefined
  attestationPrefix: string
  provenance: ProvenanceOptions | undefined
}

export function prepareTreeExport(
  deps: ExporterDeps,
  reader: AttributeReader,
  options: Readonly<Record<string, string>>,
  { id, isTar }: { id: string; isTar: boolean },
): PreparedExport {
  const provenance = parseProvenance(options)
  const chosen: TreeOptions = {
    id,
    isTar,
    epoch: parseEpoch(reader.take('source-date-epoch'), options),
    split: reader.boolean('platform-split'),
    attestationPrefix: reader.take('attestation-prefix') ?? '',
    provenance: provenance?.inlineOnly === true ? undefined : provenance,
  }
  reader.refuse(['prefer-nondist-layers'])
  if (!isTar) reader.take('mode') // whether the client deletes what else is in its directory
  reader.end()
  const name = isTar ? 'exporting to client tarball' : 'exporting to client directory'
  return {
    name,
    export: (result, context) =>
      exportVertex(context.progress, name, `${context.provenance.buildId} tree ${id}`, async (vertex) => {
        await sendTrees({ deps, context, vertex }, result, chosen)
        return {}
      }),
  }
}

async function sendTrees({ deps, context, vertex }: Assembly, result: SolvedResult, options: TreeOptions): Promise<void> {
  using undo = new DisposableStack()
  const isSplit = options.split ?? (result.multiPlatform || result.images.length > 1)
  const epoch = epochOf(options.epoch, result)
  const time = BigInt(epoch ?? Math.floor(Date.now() / 1000) * 1000) * 1_000_000n
  const placed: PlacedTree[] = []
  for (const { image, ref, statements = [] } of result.images) {
    const tree = undo.use(await exportedTree(deps, ref, epoch))
    const platformName = directoryName(image.id)
    const place = { name: image.id, directory: isSplit ? platformName : '' }
    placed.push({ ...place, tree })
    const { provenance } = options
    const attestations = { platform: image.platform, tree, found: statements, provenance, builderId: deps.builderId }
    const suffix = isSplit || result.images.length === 1 ? '' : `.${platformName}`
    for (const { file, content } of await attestTree(context.provenance, attestations)) {
      const { name, ext } = posix.parse(file)
      placed.push({ ...place, tree: fileTree(`${options.attestationPrefix}${name}${suffix}${ext}`, content, time) })
    }
  }
  const { entries, read } = combineTrees(placed, time)
  const target = { exporter: options.id, metadata: {}, signal: context.signal }
  if (options.isTar) {
    await vertex.step('sending tarball', async (count) => {
      const archive = writeTar(entries.map((entry) => tarEntryOf(entry, read)))
      await pipeline(counted(batched(archive), count), await context.session.sendFile(target), { signal: context.signal })
    })
    return
  }
  await vertex.step('copying files', async (count) => {
    let sent = 0
    const readCounted = (path: string): AsyncIterable<Uint8Array> => {
      let before = 0
      return counted(read(path), (bytes) => {
        sent += bytes - before
        before = bytes
        count(sent)
      })
    }
    await context.session.sendDirectory(target, Readable.from(entries), readCounted)
  })
}

/** A client may call a platform as it likes. Attack: `..`, and the files of the image would land beside the directory that they are for. */
export function directoryName(platform: string): string {
  return platform.replaceAll(/[/\\:\0]|^\.{1,2}$/g, '_')
}
