/** What a daemon says about itself in the headers of its answer to `/_ping`. */
export interface PingInfo {
  apiVersion: string
  osType: string
  experimental: boolean
  /** `2` when the daemon builds with BuildKit. */
  builderVersion: string
  /** `inactive`, `active/manager`, …; empty when the daemon does not say. */
  swarm: string
}

/** The version to assume of a daemon that does not name one: the first that could. */
const OLDEST_VERSION = '1.24'

export function readPing(headers: ReadonlyMap<string, string>): PingInfo {
  const named = headers.get('api-version') ?? ''
  return {
    apiVersion: /^\d+\.\d+$/.test(named) ? named : OLDEST_VERSION,
    osType: headers.get('ostype') ?? '',
    experimental: headers.get('docker-experimental') === 'true',
    builderVersion: headers.get('builder-version') ?? '',
    swarm: headers.get('swarm') ?? '',
  }
}

/** Negative, zero or positive as `a` is before, equal to or after `b`; numbers, not text: 1.9 is before 1.24. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

export function lowerVersion(a: string, b: string): string {
  return compareVersions(a, b) <= 0 ? a : b
}
