import type { GitSource } from '../../graph/types.ts'
import { isGitRemote } from '../../sources/git/parse-git-url.ts'
import type { GitUrl } from '../../sources/git/parse-git-url.ts'

/** Names that BuildKit's clients offer secrets for git under. */
const SECRETS = { authTokenSecret: 'GIT_AUTH_TOKEN', authHeaderSecret: 'GIT_AUTH_HEADER' }

/** The source for a repository as `url` names it; `keepGitDirectory` has been decided by who asks. */
export function gitSource(url: GitUrl, keepGitDirectory: boolean, checksum: string | undefined = url.checksum): GitSource {
  return {
    kind: 'git',
    remote: url.remote,
    ref: url.ref,
    ...(checksum !== undefined && { checksum }),
    subdirectory: url.subdirectory,
    keepGitDirectory,
    skipSubmodules: url.submodules === false,
    ...(url.fetchByCommit === true && { fetchByCommit: true as const }),
    ...(url.mtime === 'commit' && { commitTimes: true as const }),
    ...SECRETS,
    ...(isSsh(url.remote) && { ssh: 'default' }),
  }
}

function isSsh(remote: string): boolean {
  return isGitRemote(remote) && !/^(?:https?|git):/i.test(remote)
}
