import { constants } from 'node:fs'
import { inSlices } from '#snapshots'
import type { FileStat } from '../../session.ts'
import { parentOf } from './receive-entries.ts'
import type { ReceivedEntry } from './receive-entries.ts'
import { isDirectorySignature, signatureOf, typeOf } from './stat-signature.ts'

/** What a directory holds: signatures by path, parents first. */
export type KnownTree = ReadonlyMap<string, string>

/** What has to be done to a directory so that it becomes what the client listed; in the order of the members. */
export interface UpdatePlan {
  /** Paths to be deleted, children before parents. */
  removals: string[]
  /** To be made, parents first; their attributes come last. */
  directories: FileStat[]
  /** Regular files to be asked for. */
  files: ReceivedEntry[]
  /** Symbolic links, devices, pipes. */
  nodes: FileStat[]
  hardLinks: FileStat[]
  /** Directories to be given their attributes again, because they are new, are others, or something in them changes; children before parents. */
  attributes: FileStat[]
  /** What will be there. */
  result: KnownTree
}

/** Compares by stat only, as rsync does. Files that differ in anything become new files: others may have links to the old ones. */
export async function planUpdate(known: KnownTree, entries: readonly ReceivedEntry[]): Promise<UpdatePlan> {
  const result = new Map<string, string>()
  const plan: UpdatePlan = { removals: [], directories: [], files: [], nodes: [], hardLinks: [], attributes: [], result }
  const changed = new Set<string>()
  const touched = new Set<string>()
  for await (const entry of inSlices(entries)) {
    const { stat } = entry
    const { path } = stat
    const signature = signatureOf(stat)
    result.set(path, signature)
    const old = known.get(path)
    const type = typeOf(stat.mode)
    const isHardLink = type === constants.S_IFREG && stat.linkname !== ''
    if (old === signature && !(isHardLink && changed.has(stat.linkname))) continue
    changed.add(path)
    if (type !== constants.S_IFDIR || old === undefined || !isDirectorySignature(old)) touched.add(parentOf(path))
    if (isHardLink) plan.hardLinks.push(stat)
    else if (type === constants.S_IFREG) plan.files.push(entry)
    else if (type !== constants.S_IFDIR) plan.nodes.push(stat)
    else if (old === undefined || !isDirectorySignature(old)) plan.directories.push(stat)
  }
  for (const [path, old] of known) {
    const signature = result.get(path)
    if (signature !== undefined && isDirectorySignature(signature) === isDirectorySignature(old)) continue
    plan.removals.push(path)
    touched.add(parentOf(path))
  }
  plan.removals.reverse()
  for (const { stat } of entries) {
    if (typeOf(stat.mode) === constants.S_IFDIR && (changed.has(stat.path) || touched.has(stat.path))) plan.attributes.push(stat)
  }
  plan.attributes.reverse()
  return plan
}

/** Nothing has to be done. */
export function isUnchanged({ removals, directories, files, nodes, hardLinks, attributes }: UpdatePlan): boolean {
  return [removals, directories, files, nodes, hardLinks, attributes].every(({ length }) => length === 0)
}
