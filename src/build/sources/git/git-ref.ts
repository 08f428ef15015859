import { invalidArgument } from '#errors'

/** What a ref of a remote means now. */
export interface RemoteRef {
  /** `refs/heads/main`; a commit as it is. */
  ref: string
  /** The object that it names: a commit, or an annotated tag. */
  object: string
  /** The commit, where it is known that the object is a tag. */
  commit: string
}

export function isCommit(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

/** Refuses what git would take for an option or an expression. Rules: git-check-ref-format(1). Throws INVALID_ARGUMENT. */
export function checkRef(ref: string): void {
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  const isBad = /^[-/]|\/$|\/\/|\.\.|@\{|\.lock(?:\/|$)|(?:^|\/)\.|\.$|[\x00-\x20\x7f~^:?*[\\]/.test(ref)
  if (ref !== '' && (isBad || ref === '@' || ref.length > 1024)) throw invalidArgument(`invalid Git reference ${JSON.stringify(ref)}`)
}

export function checkChecksum(checksum: string): void {
  if (!/^[a-fA-F0-9]{1,64}$/.test(checksum)) throw invalidArgument(`invalid checksum ${checksum} for Git URL, expected hex commit hash`)
}

/** Throws INVALID_ARGUMENT when none of the objects begins with the checksum. */
export function matchChecksum(checksum: string | undefined, { object, commit }: RemoteRef): void {
  if (checksum === undefined) return
  const wanted = checksum.toLowerCase()
  if (object.startsWith(wanted) || commit.startsWith(wanted)) return
  const found = commit === object ? object : `${object} or ${commit}`
  throw invalidArgument(`expected checksum to match ${checksum}, got ${found}`)
}

/** What to ask `git ls-remote` for. */
export function lsRemotePatterns(ref: string): string[] {
  return ref === '' ? ['HEAD'] : [ref, `${ref}^{}`]
}

/**
 * Reads the answer of `git ls-remote --symref`. Branches count more than tags, as in git checkout. undefined: there is no such ref. Source: moby/buildkit
 * source/git, resolveMetadata.
 */
export function readLsRemote(output: string, ref: string): RemoteRef | undefined {
  const objects = new Map<string, string>()
  let head = ''
  for (const line of output.split('\n')) {
    const [value = '', name = ''] = line.split('\t')
    if (value.startsWith('ref: ') && name === 'HEAD') head = value.slice('ref: '.length)
    else if (isCommit(value)) objects.set(name, value)
  }
  const short = ref.replace(/^refs\//, '')
  const places =
    ref === ''
      ? ['HEAD']
      : [`refs/${short}`, `refs/heads/${ref.replace(/^refs\/heads\//, '')}`, `refs/tags/${ref.replace(/^refs\/tags\//, '')}`]
  const place = places.find((name) => objects.has(name))
  const object = objects.get(place ?? '')
  if (place === undefined || object === undefined) return undefined
  return { ref: place === 'HEAD' && head !== '' ? head : place, object, commit: objects.get(`${place}^{}`) ?? object }
}

/** The one object in an answer of `git ls-remote` that an abbreviated id means; undefined: there is none, or there are several. */
export function findAbbreviated(output: string, abbreviated: string): RemoteRef | undefined {
  const ids = output.split('\n').map((line) => line.split('\t')[0] ?? '')
  const [object, ...others] = new Set(ids.filter((id) => isCommit(id) && id.startsWith(abbreviated.toLowerCase())))
  return object === undefined || others.length > 0 ? undefined : { ref: object, object, commit: object }
}
