/** Names of repositories in queries. Source: moby `httputils.RepoTagReference` and `postImagesCreate`. */

import { EngineError, invalidArgument } from '#errors'
import { familiarName, isDigest, parseReference, parseTag, withDefaultTag, type Reference } from '#oci'

/** A name and the tag that a parameter of its own gives; `:latest` when nobody gives one. Throws INVALID_ARGUMENT. */
export function parseRepoTag(repo: string, tag: string): Reference {
  const reference = parseReference(repo)
  if (reference.digest !== undefined) throw invalidArgument('cannot import digest reference')
  return tag === '' ? withDefaultTag(reference) : { ...reference, tag: parseTag(tag) }
}

/**
 * What is to be pulled: `tag` may be a digest, too, and comes before what stands in the name. Without tag and digest all tags are meant.
 * Throws INVALID_ARGUMENT, and FORBIDDEN for a reserved name.
 */
export function parsePullReference(fromImage: string, tag: string): Reference {
  // Clients that pull all tags send an empty one behind the name.
  const named = parseReference(fromImage.replace(/:$/, ''))
  if (familiarName(named) === 'scratch') throw new EngineError('FORBIDDEN', "'scratch' is a reserved name")
  if (tag === '') return named
  const { domain, path } = named
  if (isDigest(tag)) return { domain, path, digest: tag }
  return named.digest === undefined ? { domain, path, tag: parseTag(tag) } : { domain, path, tag: parseTag(tag), digest: named.digest }
}
