import { createDigester, hexOf } from '#oci'
import type { Platform } from '#oci'
import type { ProvenanceFacts } from '../../provenance-facts.ts'
import type { FoundStatement } from '../../types.ts'
import { isHardLink } from '../tree/combine-trees.ts'
import type { ExportedTree } from '../tree/exported-tree.ts'
import { foundStatement, makeStatement } from './attestation-manifest.ts'
import type { Statement, Subject } from './attestation-manifest.ts'
import { provenanceOf } from './provenance.ts'
import type { ProvenanceOptions } from './provenance-options.ts'

export interface TreeAttestations {
  platform: Platform
  tree: ExportedTree
  /** What a scanner has found. */
  found: readonly FoundStatement[]
  /** undefined: none is wanted. */
  provenance: ProvenanceOptions | undefined
  builderId: string
}

/** Statements about all regular files of a tree, each statement a file of its own. Every file of the tree is read, for its digest. */
export async function attestTree(
  facts: ProvenanceFacts,
  { platform, tree, found, provenance, builderId }: TreeAttestations,
): Promise<{ file: string; content: Buffer }[]> {
  const statements: { file: string; statement: Statement }[] = found.map((one) => ({ file: one.file, statement: foundStatement(one) }))
  if (provenance !== undefined) {
    const statement = provenanceOf(facts, platform, provenance, { builderId, finishedAt: Date.now() })
    statements.push({ file: 'provenance.json', statement })
  }
  if (statements.length === 0) return []
  const subject = await subjectsOf(tree)
  return statements.map(({ file, statement }) => ({
    file,
    content: Buffer.from(JSON.stringify(makeStatement(statement, subject), null, 2)),
  }))
}

async function subjectsOf(tree: ExportedTree): Promise<Subject[]> {
  const subjects: Subject[] = []
  for (const entry of tree.entries) {
    if ((entry.mode & 0o170000) !== 0o100000 || isHardLink(entry)) continue
    const digester = createDigester()
    for await (const chunk of tree.read(entry.path)) digester.update(chunk)
    subjects.push({ name: entry.path, digest: { sha256: hexOf(digester.digest()) } })
  }
  return subjects
}
