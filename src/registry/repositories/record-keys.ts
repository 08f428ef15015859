import { hexOf, type Digest } from '#oci'

/**
 * Keys of all records. No component of a repository's name begins with `_`, so its own records and the repositories below it do not meet:
 *
 * ```
 * repositories/<name>/_blobs/<hex>                 empty: the blob may be read here
 * repositories/<name>/_manifests/<hex>             {mediaType, size, subject?}; the bytes are a blob
 * repositories/<name>/_tags/<tag>                  digest
 * repositories/<name>/_tagged/<hex>/<tag>          empty: the tag pointed to this manifest once; _tags tells whether it does now
 * repositories/<name>/_referrers/<subject>/<hex>   descriptor of a manifest with that subject
 * ```
 *
 * Order of writing: bytes, link, back reference, tag. Order of deleting: the other way round. What a crash leaves is never a name without content.
 */
export const ROOT = 'repositories'

export interface RepositoryKeys {
  blobs: string
  manifests: string
  tags: string
  blob(digest: Digest): string
  manifest(digest: Digest): string
  tag(tag: string): string
  /** Directory of the tags that pointed to a manifest. */
  tagged(digest: Digest): string
  /** Directory of the referrers of a subject. */
  referrers(subject: Digest): string
}

export function repositoryKeys(name: string): RepositoryKeys {
  const root = `${ROOT}/${name}`
  return {
    blobs: `${root}/_blobs`,
    manifests: `${root}/_manifests`,
    tags: `${root}/_tags`,
    blob: (digest) => `${root}/_blobs/${hexOf(digest)}`,
    manifest: (digest) => `${root}/_manifests/${hexOf(digest)}`,
    tag: (tag) => `${root}/_tags/${tag}`,
    tagged: (digest) => `${root}/_tagged/${hexOf(digest)}`,
    referrers: (subject) => `${root}/_referrers/${hexOf(subject)}`,
  }
}
