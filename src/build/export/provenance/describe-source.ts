import { withoutLogin } from '#lib'
import type { GitSource, HttpSource, ImageSource, LayoutSource, LocalSource } from '../../graph/types.ts'

type Source = ImageSource | LocalSource | GitSource | HttpSource | LayoutSource
type Attributes = Readonly<Record<string, string | undefined>>

/** A source as BuildKit names it: an address, and attributes. Left out: sessions, which are connections of the client. Names: moby/buildkit solver/pb/attr.go. */
export function describeSource(source: Source): object {
  const [identifier, attributes] = named(source)
  const attrs = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== '' && value !== '[]')
  return attrs.length === 0 ? { identifier } : { identifier, attrs: Object.fromEntries(attrs) }
}

function named(source: Source): [string, Attributes] {
  switch (source.kind) {
    case 'image':
      return [`docker-image://${source.reference}`, { 'image.resolvemode': source.resolveMode }]
    case 'local': {
      const { includePatterns, excludePatterns, followPaths } = source
      const attributes = {
        'local.includepattern': JSON.stringify(includePatterns),
        'local.excludepatterns': JSON.stringify(excludePatterns),
        'local.followpaths': JSON.stringify(followPaths),
      }
      return [`local://${source.name}`, attributes]
    }
    case 'git':
      return [gitAddress(source), gitAttributes(source)]
    case 'http':
      return [withoutLogin(source.url), httpAttributes(source)]
    case 'layout':
      return [`oci-layout://${source.reference}`, { 'oci.store': source.store }]
  }
}

function gitAddress({ remote, ref, subdirectory }: GitSource): string {
  const place = withoutLogin(remote).replace(/^[a-z]+:\/\//, '')
  const part = subdirectory === '' ? ref : `${ref}:${subdirectory}`
  return `git://${place}${part === '' ? '' : `#${part}`}`
}

function gitAttributes(source: GitSource): Attributes {
  return {
    'git.fullurl': withoutLogin(source.remote),
    'git.checksum': source.checksum,
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
