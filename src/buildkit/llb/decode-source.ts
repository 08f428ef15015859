import type { GitSource, HttpSource, ImageSource, LayoutSource, LocalSource } from '#build'
import { invalidArgument, notImplemented } from '#errors'
import { parseJson } from '#lib'
import { fullString, parseDigest, parseReference, withDefaultTag, type Platform } from '#oci'

type Attributes = Readonly<Record<string, string>>
export type SourceKind = ImageSource | LocalSource | GitSource | HttpSource | LayoutSource

/** Bytes of one attribute that is a list. */
const MAX_LIST = 4 << 20

/** Names of attributes: moby/buildkit solver/pb/attr.go. Throws INVALID_ARGUMENT, NOT_IMPLEMENTED for sources of other kinds. */
export function decodeSource(identifier: string, attributes: Attributes, platform: Platform): SourceKind {
  const separator = identifier.indexOf('://')
  const scheme = identifier.slice(0, Math.max(separator, 0))
  const rest = identifier.slice(separator + 3)
  switch (scheme) {
    case 'docker-image':
      return imageSource(rest, attributes, platform)
    case 'local':
      return localSource(rest, attributes)
    case 'git':
      return gitSource(rest, attributes)
    case 'http':
    case 'https':
      return httpSource(identifier, attributes)
    case 'oci-layout':
      return layoutSource(rest, attributes, platform)
    case '':
      throw invalidArgument(`invalid source ${JSON.stringify(identifier)}`)
    default:
      throw notImplemented(`sources of type ${scheme} are not implemented in Gantry`)
  }
}

function imageSource(name: string, attributes: Attributes, platform: Platform): ImageSource {
  const checksum = attributes['image.checksum']
  const reference = withDefaultTag(parseReference(name))
  const digest = reference.digest ?? (checksum === undefined ? undefined : parseDigest(checksum))
  return {
    kind: 'image',
    reference: fullString(digest === undefined ? reference : { ...reference, digest }),
    platform,
    resolveMode: attributes['image.resolvemode'] === 'pull' ? 'pull' : 'local',
  }
}

function localSource(name: string, attributes: Attributes): LocalSource {
  const session = attributes['local.session']
  return {
    kind: 'local',
    name,
    ...(session !== undefined && session !== '' && { session }),
    includePatterns: list(attributes, 'local.includepattern'),
    excludePatterns: list(attributes, 'local.excludepatterns'),
    followPaths: list(attributes, 'local.followpaths'),
    sharedKeyHint: attributes['local.sharedkeyhint'] ?? '',
  }
}

/** `github.com/a/b.git#ref:directory`: what comes with a scheme of its own is in an attribute. */
function gitSource(text: string, attributes: Attributes): GitSource {
  const mark = text.indexOf('#')
  const repository = mark === -1 ? text : text.slice(0, mark)
  const [ref = '', subdirectory = ''] = mark === -1 ? [] : splitOnce(text.slice(mark + 1), ':')
  const checksum = attributes['git.checksum']
  const ssh = attributes['git.mountsshsock']
  const knownHosts = attributes['git.knownsshhosts']
  const remote = attributes['git.fullurl'] ?? (/^[\w.-]+@[^/]+:/.test(repository) ? repository : `https://${repository}`)
  return {
    kind: 'git',
    remote,
    ref,
    ...(checksum !== undefined && checksum !== '' && { checksum }),
    ...(attributes['git.fetchbycommit'] === 'true' && { fetchByCommit: true as const }),
    subdirectory,
    keepGitDirectory: attributes['git.keepgitdir'] === 'true',
    skipSubmodules: attributes['git.skipsubmodules'] === 'true',
    ...(attributes['git.mtime'] === 'commit' && { commitTimes: true as const }),
    authTokenSecret: attributes['git.authtokensecret'] ?? '',
    authHeaderSecret: attributes['git.authheadersecret'] ?? '',
    ...(ssh !== undefined && ssh !== '' && { ssh }),
    ...(knownHosts !== undefined && knownHosts !== '' && { knownHosts }),
  }
}

function httpSource(url: string, attributes: Attributes): HttpSource {
  const checksum = attributes['http.checksum']
  const mode = attributes['http.perm']
  const unknown = Object.keys(attributes).find((name) => name.startsWith('http.header.'))
  if (unknown !== undefined) throw notImplemented(`the attribute ${unknown} of sources is not implemented in Gantry`)
  return {
    kind: 'http',
    url,
    ...(checksum !== undefined && checksum !== '' && { checksum: parseDigest(checksum) }),
    filename: attributes['http.filename'] ?? '',
    ...(mode !== undefined && { mode: integer('http.perm', mode) }),
    uid: integer('http.uid', attributes['http.uid'] ?? '0'),
    gid: integer('http.gid', attributes['http.gid'] ?? '0'),
    authHeaderSecret: attributes['http.authheadersecret'] ?? '',
  }
}

function layoutSource(reference: string, attributes: Attributes, platform: Platform): LayoutSource {
  const session = attributes['oci.session']
  return {
    kind: 'layout',
    ...(session !== undefined && session !== '' && { session }),
    store: attributes['oci.store'] ?? '',
    reference,
    platform,
  }
}

function list(attributes: Attributes, name: string): string[] {
  const text = attributes[name]
  if (text === undefined || text === '') return []
  const value = parseJson(Buffer.from(text), { maxBytes: MAX_LIST, maxDepth: 2 })
  if (value === null) return []
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== 'string')) throw invalidArgument(`${name} is no list of strings`)
  return value as string[]
}

/** As Go reads it: `0644` is octal; `0o644`, `0x1a4` and `420` are the same. */
function integer(name: string, text: string): number {
  const value = Number(/^0[0-7]+$/.test(text) ? `0o${text}` : text)
  if (!/^(?:\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.test(text) || !Number.isSafeInteger(value)) {
    throw invalidArgument(`invalid ${name}: ${JSON.stringify(text)}`)
  }
  return value
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}
