import { invalidArgument } from '#errors'
import { parseGoBoolean } from '#lib'

/** A Git repository as people write it for build contexts and ADD, taken apart. */
export interface GitUrl {
  /** For git: `https://host/path.git`, `ssh://git@host/path`, `git@host:path`, `git://…`; without the parts below. */
  remote: string
  /** `moby` of `https://github.com/moby/moby.git`. */
  name: string
  /** Branch, tag, `refs/…` or commit; empty: the default branch. */
  ref: string
  checksum?: string
  /** Empty: all of it. */
  subdirectory: string
  /** Absent: not said. */
  keepGitDirectory?: boolean
  submodules?: boolean
  fetchByCommit?: boolean
  /** Which times files have. */
  mtime?: 'commit' | 'checkout'
  /** `github.com/x/y`: it may as well be a path. Only build contexts are written so. */
  mayBePath: boolean
}

const SCHEME = /^([a-zA-Z0-9]+):\/\//
/** `user@host:path`; nothing in it can be taken for an option of ssh. */
const SCP_LIKE = /^\w[\w-]*@[a-zA-Z0-9][a-zA-Z0-9.-]*:/
const LONGEST = 64 * 1024

/**
 * Takes apart `<remote>[?ref=&branch=&tag=&checksum=&subdir=&submodules=&keep-git-dir=&mtime=&fetch-by-commit=][#ref[:subdirectory]]`. Gives undefined for what
 * is no Git URL: a web address counts only when its path ends in `.git`. Throws INVALID_ARGUMENT when the parts contradict each other or are not known. Source:
 * moby/buildkit frontend/dockerfile/dfgitutil/git_ref.go, util/gitutil/git_url.go.
 */
export function parseGitUrl(text: string): GitUrl | undefined {
  if (text.length > LONGEST || text.startsWith('./') || text.startsWith('../')) return undefined
  const mayBePath = text.startsWith('github.com/')
  const [, address = '', query, fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? []
  const remote = mayBePath ? `https://${address}` : address
  if (!isGitRemote(remote) || (!mayBePath && /^https?:/i.test(remote) && !remote.endsWith('.git'))) return undefined
  const colon = fragment.indexOf(':')
  const url: GitUrl = {
    remote,
    name: (remote.split(/[/:]/).at(-1) ?? '').replace(/\.git$/, ''),
    ref: decode(colon < 0 ? fragment : fragment.slice(0, colon)),
    subdirectory: colon < 0 ? '' : decode(fragment.slice(colon + 1)),
    mayBePath,
  }
  if (query !== undefined) applyQuery(url, new URLSearchParams(query))
  return url
}

/** Whether git could fetch from it by a protocol that is allowed. */
export function isGitRemote(remote: string): boolean {
  const scheme = SCHEME.exec(remote)?.[1]?.toLowerCase()
  return scheme === undefined ? SCP_LIKE.test(remote) : ['http', 'https', 'ssh', 'git'].includes(scheme)
}

function applyQuery(url: GitUrl, query: URLSearchParams): void {
  let tag = ''
  let branch = ''
  const seen = new Set<string>()
  for (const [name, value] of query) {
    if (seen.has(name)) throw invalidArgument(`query "${name}" has multiple values`)
    seen.add(name)
    if (value === '' && !['keep-git-dir', 'submodules', 'fetch-by-commit'].includes(name))
      throw invalidArgument(`query "${name}" has no value`)
    if (name === 'ref') url.ref = agree('ref', url.ref, value)
    else if (name === 'subdir') url.subdirectory = agree('subdir', url.subdirectory, value)
    else if (name === 'checksum' || name === 'commit') url.checksum = value
    else if (name === 'keep-git-dir') url.keepGitDirectory = boolean(name, value)
    else if (name === 'submodules') url.submodules = boolean(name, value)
    else if (name === 'fetch-by-commit') url.fetchByCommit = boolean(name, value)
    else if (name === 'mtime') url.mtime = timeRule(value)
    else if (name === 'tag') tag = value
    else if (name === 'branch') branch = value
    else throw invalidArgument(`unexpected query "${name}"`)
  }
  if (tag !== '') url.ref = agree('ref', url.ref, within('refs/tags/', tag))
  if (branch !== '' && tag !== '') throw invalidArgument('branch conflicts with tag')
  if (branch !== '') url.ref = agree('ref', url.ref, within('refs/heads/', branch))
  if (url.ref === '') url.ref = url.checksum ?? ''
}

function agree(name: string, written: string, value: string): string {
  if (written !== '' && written !== value) throw invalidArgument(`${name} conflicts: "${written}" vs "${value}"`)
  return value
}

function within(place: string, name: string): string {
  return name.startsWith(place) ? name : place + name
}

/** Without a value it is said, so it is true. */
function boolean(name: string, value: string): boolean {
  try {
    return value === '' || parseGoBoolean(value)
  } catch {
    throw invalidArgument(`invalid ${name} value: "${value}"`)
  }
}

function timeRule(value: string): 'commit' | 'checkout' {
  if (value !== 'commit' && value !== 'checkout') throw invalidArgument(`invalid mtime value: "${value}"`)
  return value
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidArgument(`invalid URL escape in "${text}"`)
  }
}
