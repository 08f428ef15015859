import type { Reference } from '#oci'

/** The host that clients keep Docker Hub's login under when a builder asks for it. Source: moby/buildkit util/resolver. */
export function loginHost({ domain }: Pick<Reference, 'domain'>): string {
  return domain === 'docker.io' ? 'registry-1.docker.io' : domain
}
