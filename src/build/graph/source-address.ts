import type { GitSource, HttpSource, SourceOp } from './types.ts'

/** A source as BuildKit names it. Names of attributes: moby/buildkit solver/pb/attr.go. */
export interface SourceAddress {
  /** `docker-image://docker.io/library/alpine:latest`, `git://host/repository.git#ref`, `https://…`. */
  identifier: string
  /** What is empty is left out. */
  attributes: Readonly<Record<string, string>>
}

type Attributes = Readonly<Record<string, string | undefined>>

/** With logins and sessions, where the source has them. */
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
      return [source.url, httpAttributes(source)]
    case 'layout':
      return [`oci-layout://${source.reference}`, { 'oci.store': source.store, 'oci.session': source.session }]
  }
}

function gitAddress({ remote, ref, subdirectory }: GitSource): string {
  const place = remote.replace(/^[a-z]+:\/\//, '')
  const part = subdirectory === '' ? ref : `${ref}:${subdirectory}`
  return `git://${place}${part === '' ? '' : `#${part}`}`
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
