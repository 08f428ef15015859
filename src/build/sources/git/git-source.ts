import { closeSync, constants } from 'node:fs'
import { EngineError, internal, invalidArgument, notFound } from '#errors'
import type { Files } from '#kernel'
import { withoutLogin } from '#lib'
import { O_PATH } from '#snapshots'
import type { JobRunner } from '#snapshots'
import type { GitSource } from '../../graph/types.ts'
import { copyDirectory } from '../../files/layers-from.ts'
import type { SourceResolver, Step } from '../../types.ts'
import type { LayerBuilder } from '../layer-builder.ts'
import { checkOut, commitTime, setTimes } from './checkout.ts'
import { fetchCommit } from './fetch-commit.ts'
import { openAccess } from './git-access.ts'
import type { GitAccess } from './git-access.ts'
import { GitFailure } from './git-program.ts'
import type { GitOptions, GitProgram } from './git-program.ts'
import { checkChecksum, checkRef, findAbbreviated, isCommit, lsRemotePatterns, matchChecksum, readLsRemote } from './git-ref.ts'
import type { RemoteRef } from './git-ref.ts'
import type { KeptRepositories } from './kept-repositories.ts'
import { isGitRemote } from './parse-git-url.ts'

export interface GitSourceDeps {
  git: GitProgram
  repositories: Pick<KeptRepositories, 'hold' | 'reset' | 'scratch'>
  layers: LayerBuilder
  files: Files
  jobs: JobRunner
}

/**
 * Git repositories, by the host's git: it has to be installed. What a ref means is asked first; the commit is the key. Secrets and agents of the client never
 * get onto a command line or into a file that stays. Source: moby/buildkit source/git.
 */
export function createGitSource(deps: GitSourceDeps): SourceResolver<GitSource> {
  const { git, repositories } = deps

  /** Runs work with what the client gives to reach the remote. */
  async function reaching<T>(
    source: GitSource,
    step: Step,
    work: (access: GitAccess, options: GitOptions, scratch: string) => Promise<T>,
  ): Promise<T> {
    using scratch = repositories.scratch()
    await using access = await openAccess(source, step.session, scratch.path)
    const options = { ...access.options, signal: step.signal, log: (text: Buffer) => step.log(2, text) }
    return await work(access, options, scratch.path)
  }

  async function resolve(source: GitSource, step: Step): Promise<RemoteRef> {
    const { ref, checksum } = source
    if (isCommit(ref)) return { ref, object: ref, commit: ref }
    if (source.fetchByCommit === true && checksum !== undefined)
      return { ref: ref === '' ? checksum : ref, object: checksum, commit: checksum }
    const found = await reaching(source, step, async ({ remote }, options) => {
      const output = await git(['ls-remote', '--symref', '--', remote, ...lsRemotePatterns(ref)], options).catch(fetchFailure(remote))
      const known = readLsRemote(output, ref)
      if (known !== undefined) return known
      if (ref === '') throw notFound(`could not find default branch for repository: ${remote}`)
      const whole = ref === checksum ? await expandId(ref, remote, options) : undefined
      if (whole !== undefined) return whole
      throw notFound(`repository does not contain ref ${ref}, output: ${JSON.stringify(output)}`)
    })
    matchChecksum(checksum, found)
    return found
  }

  /** Servers know no abbreviated ids, but say which commits their refs are. */
  async function expandId(abbreviated: string, remote: string, options: GitOptions): Promise<RemoteRef | undefined> {
    return findAbbreviated(await git(['ls-remote', '--', remote], options).catch(fetchFailure(remote)), abbreviated)
  }

  return {
    async identify(source, step) {
      checkSource(source)
      const { ref, object, commit } = await resolve(source, step)
      matchChecksum(source.checksum, { ref, object, commit })
      const named = source.keepGitDirectory ? object : commit
      return {
        key: [
          named,
          keepsGit(source) ? `.git#${ref}` : '',
          directoryOf(source),
          source.skipSubmodules ? 'without submodules' : '',
          ...(source.commitTimes === true ? ['commit times'] : []),
        ].join(':'),
        pinned: { ...source, ref, checksum: object },
        material: { uri: addressOf(source), digest: { [commit.length === 64 ? 'sha256' : 'sha1']: commit } },
      }
    },

    async fetch(source, step) {
      checkSource(source)
      const { ref, skipSubmodules } = source
      const object = isCommit(ref) ? ref : (source.checksum ?? '')
      if (!isCommit(object)) throw internal('a Git source is fetched by its commit')
      const format = object.length === 64 ? 'sha256' : 'sha1'
      return await reaching(source, step, async ({ remote }, options, scratch) => {
        using repository = await repositories.hold(remote, format, step.signal)
        const { gitDirectory } = repository
        const fetch = (): Promise<void> =>
          fetchCommit(git, { remote, ref: source.fetchByCommit === true ? object : ref, object }, { ...options, gitDirectory })
        await fetch()
          .catch(async (error: unknown) => {
            // A branch `a/b` where there was a branch `a`, or a broken repository: a new one has no such past.
            if (!(error instanceof GitFailure) || !BROKEN.test(error.message)) throw error
            await repositories.reset(remote, format, step.signal)
            await fetch()
          })
          .catch(fetchFailure(remote))
        const request = { from: gitDirectory, remote, ref, object, format, skipSubmodules, keepGitDirectory: keepsGit(source) } as const
        const tree = await checkOut(git, scratch, request, options).catch((error: unknown) => {
          throw failure(`failed to checkout remote ${remote}`, error)
        })
        if (source.commitTimes === true) await setTimes(tree, await commitTime(git, object, { ...options, gitDirectory }))
        using top = deps.files.openRoot(tree)
        using part = openDirectory(deps.files, top.fd, source)
        return await deps.layers.build(step.lease, (fd) => copyDirectory(deps, `/proc/self/fd/${part.fd}`, fd, step.signal))
      })
    },
  }
}

/** Links are followed inside of the repository. */
function openDirectory(files: Files, root: number, source: GitSource): Disposable & { fd: number } {
  try {
    const fd = files.openInRoot(root, `/${directoryOf(source)}`, O_PATH | constants.O_DIRECTORY)
    return { fd, [Symbol.dispose]: () => closeSync(fd) }
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw notFound(`failed to open subdir ${source.subdirectory}: no such directory`, error)
  }
}

const BROKEN = /would clobber existing tag|unable to update local ref|cannot lock ref|object file .* is (?:empty|corrupt)|bad object/

/** Definitions come from clients that are not ours, too. Throws INVALID_ARGUMENT. */
function checkSource({ remote, ref, checksum, fetchByCommit, subdirectory }: GitSource): void {
  // Attack: `https://a\@b/`, whose host is `b` to git and `a` to who judges it by a policy.
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (!isGitRemote(remote) || /[\x00-\x20\x7f\\]/.test(remote) || /^ssh:\/\/(?:[^/@]*@)?-/i.test(remote)) {
    throw invalidArgument(`invalid Git remote ${JSON.stringify(remote)}: only http, https, ssh and git are supported`)
  }
  checkRef(ref)
  if (checksum !== undefined) checkChecksum(checksum)
  if (fetchByCommit === true && !isCommit(checksum ?? '')) throw invalidArgument('fetch-by-commit needs a whole commit id as checksum')
  if (subdirectory.includes('\0') || subdirectory.split('/').includes('..')) {
    throw invalidArgument(`invalid Git subdirectory ${JSON.stringify(subdirectory)}`)
  }
}

/** As provenance names it. */
function addressOf({ remote, ref }: GitSource): string {
  return `${withoutLogin(remote)}${ref === '' ? '' : `#${ref}`}`
}

/** Without slashes at the ends; empty: all of it. */
function directoryOf({ subdirectory }: GitSource): string {
  return subdirectory
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/')
}

/** A part of a repository has no repository in it. */
function keepsGit(source: GitSource): boolean {
  return source.keepGitDirectory && directoryOf(source) === ''
}

function fetchFailure(remote: string): (error: unknown) => never {
  return (error) => {
    throw failure(`failed to fetch remote ${remote}`, error)
  }
}

function failure(what: string, error: unknown): unknown {
  return error instanceof GitFailure ? new EngineError('UNAVAILABLE', `${what}: ${error.message}`, { cause: error }) : error
}
