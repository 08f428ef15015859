/**
 * Version numbers of the Docker Engine API.
 *
 * Every version since 1.0 is `1.<minor>`, so the code compares minors as plain integers: `version >= 44` reads as "API 1.44 and later".
 * Source: moby `api/docs/CHANGELOG.md`.
 */

/** The minor of `1.<minor>`. */
export type ApiVersion = number

/** Newest version served; also what a path without `/v…` means. */
export const MAX_API_VERSION: ApiVersion = 55

/** Oldest version served. dockerd refuses to be configured below this one too. */
export const MIN_API_VERSION: ApiVersion = 24

/** `1.55` for 55. */
export function formatVersion(version: ApiVersion): string {
  return `1.${version}`
}

/**
 * Reads `1.44`. Majors other than 1 become a number outside every supported range (below for 0, above for 2 and later), so that a caller's
 * range check gives the right answer. Undefined for text that is no version.
 */
export function parseVersion(text: string): ApiVersion | undefined {
  const match = /^(\d{1,4})(?:\.(\d{1,6}))?(?:\.\d+)*$/.exec(text)
  if (match === null) return undefined
  const major = Number(match[1])
  const minor = Number(match[2] ?? 0)
  if (major === 1) return minor
  return major === 0 ? -1 : Number.MAX_SAFE_INTEGER
}
