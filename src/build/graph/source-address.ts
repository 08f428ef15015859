import { posix } from 'node:path'
import { withoutLogin } from '#lib'
import type { GitSource, HttpSource, SourceOp } from './types.ts'

/** A source as BuildKit names it. Names of attributes: moby/buildkit solver/pb/attr.go. */
export interface SourceAddress {
  /** `docker-image://docker.io/library/alpine:latest`, `git://host/repository.git#ref`, `https://…`. */
  identifier: string
  /** What is empty is left out. */
  attributes: Readonly<Record<string, string>>
}

type Attributes = Readonly<Record<string, string | undefined>>

/** Sessions are in it where the source has them; a login only in `git.fullurl`. */
export function addressOf(source: SourceOp): SourceAddress {
  const [identifier, attributes] = named(source)
  const given = Object.entries(attributes).filter((entry): entry is [string, string] => !['', '[]', undefined].includes(entry[1]))
  return { identifier, attributes: Object.fromEntries(given) }
}

function named(source: SourceOp): [string, Attributes] {
  switch (source.kind) {
    case 'image':
      return [`docker-image://${source.reference}`, { 'image.resolvemode': source.resolveMode }]
    case 'local': {
      const { includePatterns, excludePatterns, followPaths, session, sharedKeyHint } = source
      const attributes = {
        'local.includepattern': JSON.stringify(includePatterns),
        'local.excludepatterns': JSON.stringify(excludePatterns),
        'local.followpaths': JSON.stringify(followPaths),
        'local.session': session,
        'local.sharedkeyhint': sharedKeyHint,
      }
      return [`local://${source.name}`, attributes]
    }
    case 'git':
      return [gitAddress(source), gitAttributes(source)]
    case 'http':
      return [httpAddress(source), httpAttributes(source)]
    case 'layout':
      return [`oci-layout://${source.reference}`, { 'oci.store': source.store, 'oci.session': source.session }]
  }
}

/**
 * By host and path only, as BuildKit does it (client/llb/source.go): a repository has one name, whether it is asked for by `https`, `ssh` or `git@host:path`, as whom, and
 * however the address is spelt. Rules about sources could be got past otherwise.
 */
function gitAddress({ remote, ref, subdirectory }: GitSource): string {
  const part = subdirectory === '' ? ref : `${ref}:${subdirectory}`
  return `git://${gitPlace(remote)}${part === '' ? '' : `#${part}`}`
}

function gitPlace(remote: string): string {
  const [, host, path = ''] = /^(?:[^@/]*@)?([^:/]+):(?!\/\/)(.*)$/s.exec(remote) ?? []
  if (host !== undefined) return host.toLowerCase() + cleanPath(path)
  const [, scheme = ''] = /^(ssh|git):/i.exec(remote) ?? []
  // Only hosts of the web's schemes are put in order by URL.
  const url = URL.parse(scheme === '' ? remote : `http${remote.slice(scheme.length)}`)
  if (url === null) return remote
  if (url.port === DEFAULT_PORTS[scheme.toLowerCase()]) url.port = ''
  return url.host + cleanPath(decoded(url.pathname))
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { ssh: '22', git: '9418' }

function cleanPath(path: string): string {
  return posix.join('/', path).replace(/\/$/, '')
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** As the server is asked for it: without login and fragment. */
function httpAddress({ url: text }: HttpSource): string {
  const url = URL.parse(text)
  if (url === null) return text
  url.hash = ''
  return withoutLogin(url.href)
}

function gitAttributes(source: GitSource): Attributes {
  return {
    'git.fullurl': source.remote,
    'git.checksum': source.checksum,
    'git.fetchbycommit': source.fetchByCommit === true ? 'true' : undefined,
    'git.keepgitdir': source.keepGitDirectory ? 'true' : undefined,
    'git.skipsubmodules': source.skipSubmodules ? 'true' : undefined,
    'git.mtime': source.commitTimes === true ? 'commit' : undefined,
    'git.authtokensecret': source.authTokenSecret,
    'git.authheadersecret': source.authHeaderSecret,
    'git.mountsshsock': source.ssh,
    'git.knownsshhosts': source.knownHosts,
  }
}

function httpAttributes({ checksum, filename, mode, uid, gid, authHeaderSecret }: HttpSource): Attributes {
  return {
    'http.checksum': checksum,
    'http.filename': filename,
    'http.perm': mode === undefined ? undefined : `0${mode.toString(8)}`,
    'http.uid': uid === 0 ? undefined : String(uid),
    'http.gid': gid === 0 ? undefined : String(gid),
    'http.authheadersecret': authHeaderSecret,
  }
}
