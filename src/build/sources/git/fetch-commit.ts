import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '#errors'
import { GitFailure } from './git-program.ts'
import type { GitOptions, GitProgram } from './git-program.ts'
import { isCommit } from './git-ref.ts'

export interface FetchCommitRequest {
  remote: string
  /** `refs/heads/main`, or the commit itself. */
  ref: string
  /** Object that the ref must name: commit or annotated tag. */
  object: string
}

/** Makes `object` be in a bare repository, with as little history as the server can be made to send. Throws what git says, NOT_FOUND. */
export async function fetchCommit(
  git: GitProgram,
  request: FetchCommitRequest,
  options: GitOptions & { gitDirectory: string },
): Promise<void> {
  const { remote, ref, object } = request
  const isHere = async (): Promise<boolean> => await succeeds(git(['cat-file', '-e', `${object}^{commit}`], options))
  if (await isHere()) return
  // Of a fetch that was killed.
  rmSync(join(options.gitDirectory, 'shallow.lock'), { force: true })
  const fetch = async (...args: string[]): Promise<void> => {
    await git(['fetch', '--quiet', '--force', '--no-recurse-submodules', ...args], options)
  }
  if (!isCommit(ref)) {
    await fetch('--no-tags', '--depth=1', '--', remote, `+${ref}:refs/gantry/fetched`).catch(async (error: unknown) => {
      // Servers that only know the plain protocol of the web cannot cut a history.
      if (!(error instanceof GitFailure) || !/depth|shallow/.test(error.message)) throw error
      await fetch('--no-tags', '--', remote, `+${ref}:refs/gantry/fetched`)
    })
    if (await isHere()) return
  }
  // The ref means something else by now, or it is a commit: most servers send any one that they have.
  if (await succeeds(fetch('--no-tags', '--depth=1', '--', remote, object))) if (await isHere()) return
  const whole = existsSync(join(options.gitDirectory, 'shallow')) ? ['--unshallow'] : []
  await fetch('--tags', ...whole, '--', remote, '+refs/heads/*:refs/gantry/heads/*')
  if (await isHere()) return
  throw new EngineError(
    'NOT_FOUND',
    `fetched ref ${ref} does not match expected commit ${object} and commit can not be found in the repository`,
  )
}

/** Whether git did it. Other failures (no git, cancelled) pass. */
async function succeeds(run: Promise<unknown>): Promise<boolean> {
  try {
    await run
    return true
  } catch (error) {
    if (error instanceof GitFailure) return false
    throw error
  }
}
