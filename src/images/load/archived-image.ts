import type { Descriptor, Digest } from '#oci'

/** Config and layers of an image; the blobs are stored, nothing is checked against each other yet. */
export interface ArchivedManifest {
  config: Digest
  /** Lowest first. */
  layers: Digest[]
}

/** An image as an archive describes it. */
export interface ArchivedImage extends ArchivedManifest {
  /** As in the archive; an image has them all, a name that is no name of a tag included. */
  names: string[]
  /** The manifest or index that the names stand for; undefined when the archive has none, or one made for the archive only. */
  target?: Descriptor
  /** Further platforms to be unpacked. */
  variants: ArchivedManifest[]
  /** Manifests that came in the archive and are not wanted. */
  unwanted: Digest[]
}
