import { familiarName, formatPlatform, normalisePlatform, withDefaultTag } from '#oci'
import type { Platform, Reference } from '#oci'

/**
 * An image as provenance names it: `pkg:docker/alpine@3?platform=linux%2Famd64`; with its digest where it has no tag. `oci`: from an OCI
 * layout of the client. Source: package-url/purl-spec, type `docker`; moby/buildkit util/purl.
 */
export function imagePurl(type: 'docker' | 'oci', reference: Reference, platform: Platform): string {
  const { tag, digest } = withDefaultTag(reference)
  const name = familiarName(reference).replace(/^\//, '').split('/').map(encodeURIComponent).join('/')
  const qualifiers = new URLSearchParams()
  if (tag === undefined && digest !== undefined) qualifiers.set('digest', digest)
  qualifiers.set('platform', formatPlatform(normalisePlatform(platform)))
  return `pkg:${type}/${name}${tag === undefined ? '' : `@${encodeURIComponent(tag)}`}?${qualifiers.toString()}`
}
