/**
 * Deletions in two languages. A layer tar says them with marker files, overlayfs with a character device 0/0 and an extended attribute.
 * Sources: image-spec v1.1.1 layer.md "Whiteouts"; Linux Documentation/filesystems/overlayfs.rst "whiteouts and opaque directories".
 */

import { invalidArgument } from '#errors'

const PREFIX = '.wh.'
/** Names by which AUFS kept its own books; they never meant a deletion. */
const META_PREFIX = '.wh..wh.'
export const OPAQUE_MARKER = '.wh..wh..opq'

export const OPAQUE_XATTR = 'trusted.overlay.opaque'
export const OPAQUE_VALUE: Buffer = Buffer.from('y')

export type Marker =
  /** The directory that holds the marker hides everything below it. */
  | { kind: 'opaque' }
  /** `name`, beside the marker, is deleted. */
  | { kind: 'whiteout'; name: string }
  /** Means nothing here. */
  | { kind: 'ignored' }

/** What a file of this name says, undefined for an ordinary file. */
export function parseMarker(name: string): Marker | undefined {
  if (!name.startsWith(PREFIX)) return undefined
  if (name === OPAQUE_MARKER) return { kind: 'opaque' }
  if (name.startsWith(META_PREFIX)) return { kind: 'ignored' }
  const hidden = name.slice(PREFIX.length)
  // Attack: `.wh...` would delete `..`, that is, make a device in the directory above.
  if (hidden === '' || hidden === '.' || hidden === '..') throw invalidArgument(`invalid tar entry: whiteout ${JSON.stringify(name)}`)
  return { kind: 'whiteout', name: hidden }
}

/** The marker file for a deleted `name`. */
export function whiteoutName(name: string): string {
  return PREFIX + name
}

/**
 * Whether an extended attribute is overlayfs's own. Attack: an archive that could set `trusted.overlay.redirect` or `.metacopy` would make
 * a later mount show it files of other layers, by paths it chose. They are never taken from archives nor put into them.
 */
export function isOverlayXattr(name: string): boolean {
  return name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')
}

/** Notes that overlayfs keeps in an upper directory, and that say nothing when it has become a lower one (fs/overlayfs/overlayfs.h). */
const NOTES: ReadonlySet<string> = new Set(
  ['origin', 'impure', 'nlink', 'upper', 'uuid', 'protattr'].map((name) => `trusted.overlay.${name}`),
)

/** Whether an attribute of overlayfs makes it show something else than the files. Those for users have no meaning to mounts of ours. */
export function changesView(name: string): boolean {
  return name.startsWith('trusted.overlay.') && !NOTES.has(name)
}
