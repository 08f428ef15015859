import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { lutimes, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GitFailure } from './git-program.ts'
import type { GitOptions, GitProgram } from './git-program.ts'
import { isCommit } from './git-ref.ts'

export interface CheckoutRequest {
  /** Bare repository that has the object. */
  from: string
  /** Without login. */
  remote: string
  ref: string
  object: string
  format: 'sha1' | 'sha256'
  keepGitDirectory: boolean
  skipSubmodules: boolean
}

/**
 * Writes the files of a commit into a new directory `tree` of `scratch`. A repository of its own has the settings of the submodules, which strangers have
 * written; it is kept in `tree/.git` or goes with the rest of `scratch`. Gives the path of `tree`.
 */
export async function checkOut(
  git: GitProgram,
  scratch: string,
  request: CheckoutRequest,
  options: Omit<GitOptions, 'gitDirectory' | 'workTree'>,
): Promise<string> {
  const { from, remote, ref, object, format, keepGitDirectory } = request
  const tree = join(scratch, 'tree')
  const gitDirectory = keepGitDirectory ? join(tree, '.git') : join(scratch, 'git')
  mkdirSync(tree, { mode: 0o755 })
  const own = { ...options, gitDirectory, workTree: tree }
  await git(['init', '--quiet', `--object-format=${format}`], own)
  await git(['remote', 'add', '--', 'origin', remote], own)
  if (keepGitDirectory) {
    const bare = { ...options, gitDirectory: from }
    await git(['update-ref', 'refs/gantry/checkout', object], bare)
    const target = isCommit(ref) || ref === 'HEAD' ? '' : `:${ref}`
    // Not as a path: git would link the files of the other repository instead of reading them.
    await git(['fetch', '--quiet', '-u', '--depth=1', '--', `file://${from}`, `+refs/gantry/checkout${target}`], {
      ...own,
      protocols: 'file',
    })
  } else {
    writeFileSync(join(gitDirectory, 'objects/info/alternates'), `${join(from, 'objects')}\n`)
    if (existsSync(join(from, 'shallow'))) copyFileSync(join(from, 'shallow'), join(gitDirectory, 'shallow'))
  }
  await git(['checkout', '--quiet', '--force', '--detach', `${object}^{commit}`], own)
  if (!request.skipSubmodules && existsSync(join(tree, '.gitmodules'))) {
    await updateSubmodules(git, own)
    if (!keepGitDirectory) await removeLinks(tree)
  }
  if (keepGitDirectory) {
    await git(['reflog', 'expire', '--all', '--expire=now'], own)
    rmSync(join(gitDirectory, 'FETCH_HEAD'), { force: true })
  }
  return tree
}

/** Seconds since the epoch. */
export async function commitTime(git: GitProgram, object: string, options: GitOptions): Promise<number> {
  return Number(await git(['show', '--no-patch', '--format=%ct', `${object}^{commit}`], options))
}

/** Of a directory and all in it. Names may be any bytes. */
export async function setTimes(directory: string | Buffer, seconds: number): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' })
  await Promise.all(
    entries.map(async (entry) => {
      const path = inside(directory, entry.name)
      if (entry.isDirectory()) await setTimes(path, seconds)
      else await lutimes(path, seconds, seconds)
    }),
  )
  await lutimes(directory, seconds, seconds)
}

function inside(directory: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), name])
}

/** As deep as the servers allow. */
async function updateSubmodules(git: GitProgram, options: GitOptions): Promise<void> {
  const update = ['submodule', '--quiet', 'update', '--init', '--recursive']
  try {
    await git([...update, '--depth=1'], options)
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    await git(update, options)
  }
}

/** The file `.git` of a submodule says where on this host its repository was. No repository can hold a file of this name. Names may be any bytes. */
export async function removeLinks(directory: string | Buffer): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
    const path = inside(directory, entry.name)
    if (entry.isDirectory()) await removeLinks(path)
    else if (entry.isFile() && entry.name.equals(LINK)) rmSync(path)
  }
}

const LINK = Buffer.from('.git')
