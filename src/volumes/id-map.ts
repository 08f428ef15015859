import { invalidArgument } from '#errors'

/** `size` ids from `host` on, as they are on the disk, are shown as those from `container` on. */
export interface IdRange {
  container: number
  host: number
  size: number
}

/** Owners of an idmapped mount. A kind without ranges is shown as it is. */
export interface IdMap {
  uids: IdRange[]
  gids: IdRange[]
}

/** As many as a user namespace takes (user_namespaces(7)). */
const MAX_RANGES = 340
const MAX_ID = 2 ** 32 - 2

/**
 * `uids=0:1000:1,33:33:1;gids=0:1000:1`: container, host and count, as in Docker's and the kernel's own maps. Also with `#` and `-` as in Podman's
 * option, because a comma ends a field of `--mount`. Throws INVALID_ARGUMENT.
 */
export function parseIdMap(text: string): IdMap {
  const map: IdMap = { uids: [], gids: [] }
  const invalid = (why: string): Error => invalidArgument(`invalid idmap ${JSON.stringify(text)}: ${why}`)
  for (const part of text.split(';')) {
    const [, kind, ranges] = /^(uids|gids)=(.+)$/.exec(part) ?? []
    if (kind === undefined || ranges === undefined) throw invalid('must be uids=container:host:count;gids=container:host:count')
    if (map[kind as keyof IdMap].length > 0) throw invalid(`${kind} is given twice`)
    map[kind as keyof IdMap] = ranges.split(/[,#]/).map((range) => {
      const numbers = /^(\d{1,10})[:-](\d{1,10})[:-](\d{1,10})$/.exec(range)?.slice(1).map(Number)
      const [container = -1, host = -1, size = 0] = numbers ?? []
      if (size === 0 || Math.max(container, host) + size - 1 > MAX_ID) throw invalid(`${range} is not container:host:count`)
      return { container, host, size }
    })
    if (overlaps(map[kind as keyof IdMap])) throw invalid(`ranges of ${kind} overlap`)
    if (map[kind as keyof IdMap].length > MAX_RANGES) throw invalid(`more than ${MAX_RANGES} ranges`)
  }
  return map
}

/** The kernel would answer EINVAL for it, and say nothing else. */
function overlaps(ranges: readonly IdRange[]): boolean {
  return (['container', 'host'] as const).some((side) => {
    const sorted = ranges.toSorted((a, b) => a[side] - b[side])
    return sorted.some((range, index) => index > 0 && range[side] < (sorted[index - 1]?.[side] ?? 0) + (sorted[index - 1]?.size ?? 0))
  })
}
