import { createDigester, hexOf } from '#oci'
import type { Platform } from '#oci'
import type { ProvenanceFacts } from '../../types.ts'
import { isHardLink } from '../tree/combine-trees.ts'
import type { ExportedTree } from '../tree/exported-tree.ts'
import { makeStatement } from './attestation-manifest.ts'
import { provenanceOf } from './provenance.ts'
import type { ProvenanceOptions } from './provenance-options.ts'

/** A statement about every regular file of a tree, as a file of its own. Each file is read for its digest. */
export async function attestTree(
  facts: ProvenanceFacts,
  platform: Platform,
  options: ProvenanceOptions,
  { builderId, tree }: { builderId: string; tree: ExportedTree },
): Promise<Buffer> {
  const subject = []
  for (const entry of tree.entries) {
    if ((entry.mode & 0o170000) !== 0o100000 || isHardLink(entry)) continue
    const digester = createDigester()
    for await (const chunk of tree.read(entry.path)) digester.update(chunk)
    subject.push({ name: entry.path, digest: { sha256: hexOf(digester.digest()) } })
  }
  const statement = provenanceOf(facts, platform, options, { builderId, finishedAt: Date.now() })
  return Buffer.from(JSON.stringify(makeStatement(statement, subject), null, 2))
}
