import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, notFound } from '#errors'
import { KeyedMutex } from '#lib'
import { measureTree } from '#snapshots'
import type { JobRunner } from '#snapshots'
import type { CacheStore } from '../../cache/cache-usage.ts'
import { lockUnless } from '../abortable-lock.ts'
import { createBackgroundDeletions } from '../background-deletions.ts'
import { readRecord, writeRecord } from '../local/directory-record.ts'
import type { GitProgram } from './git-program.ts'

export interface KeptRepositoriesDeps {
  /** Its own; made when absent. */
  directory: string
  git: GitProgram
  /** For deletions. */
  jobs: Pick<JobRunner, 'run'>
  /** Hears of failures in the background. */
  report: (error: unknown) => void
  /** Milliseconds since the epoch. */
  now: () => number
}

/** A bare repository that nobody else uses until it is disposed. */
export interface HeldRepository extends Disposable {
  readonly gitDirectory: string
}

/**
 * Bare repositories by remote, so that a later build fetches only what is new.
 *
 * ```
 * <directory>/<key>/git/      the repository
 * <directory>/<key>/record    for people
 * <directory>/.<uuid>/        being made, in use by one build, or on its way out
 * ```
 */
export interface KeptRepositories extends CacheStore {
  /** Waits for other builds that use it. */
  hold(remote: string, format: 'sha1' | 'sha256', signal: AbortSignal): Promise<HeldRepository>
  /** Gives up a repository that is broken; by who holds it. */
  reset(remote: string, format: 'sha1' | 'sha256', signal: AbortSignal): Promise<void>
  /** An empty directory of one build, deleted when it is disposed. */
  scratch(): Disposable & { path: string }
  /** After a start, before anything else: deletes what builds have left, in the background. */
  restore(): void
  /** Waits for deletions in the background. */
  settled(): Promise<void>
}

const TEMPORARY = '.'

export function createKeptRepositories(deps: KeptRepositoriesDeps): KeptRepositories {
  const { directory, git, now } = deps
  const locks = new KeyedMutex()
  const inUse = new Set<string>()
  const deletions = createBackgroundDeletions(deps)

  const gitDirectory = (key: string): string => join(directory, key, 'git')
  const record = (key: string): string => join(directory, key, 'record')

  function names(): string[] {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return readdirSync(directory)
  }

  function discard(key: string): void {
    const trash = join(directory, TEMPORARY + randomUUID())
    renameSync(join(directory, key), trash)
    deletions.delete(trash)
  }

  function scratch(): Disposable & { path: string } {
    const path = join(directory, TEMPORARY + randomUUID())
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return { path, [Symbol.dispose]: () => deletions.delete(path) }
  }

  async function make(key: string, format: string, signal: AbortSignal): Promise<void> {
    const path = join(directory, TEMPORARY + randomUUID())
    mkdirSync(path, { recursive: true, mode: 0o700 })
    try {
      await git(['init', '--quiet', '--bare', `--object-format=${format}`, join(path, 'git')], { signal })
      renameSync(path, join(directory, key))
    } catch (error) {
      deletions.delete(path)
      throw error
    }
  }

  function noteUse(key: string, remote: string): void {
    const before = readRecord(record(key))
    const time = now()
    writeRecord(record(key), {
      description: `shared git repo for ${remote}`,
      createdAt: before?.createdAt ?? time,
      lastUsedAt: time,
      usageCount: (before?.usageCount ?? 0) + 1,
      size: 0,
    })
  }

  return {
    async hold(remote, format, signal) {
      const key = keyOf(remote, format)
      using undo = new DisposableStack()
      undo.use(await lockUnless(locks, key, signal))
      if (!names().includes(key)) await make(key, format, signal)
      noteUse(key, remote)
      inUse.add(key)
      undo.defer(() => inUse.delete(key))
      const kept = undo.move()
      return { gitDirectory: gitDirectory(key), [Symbol.dispose]: () => kept.dispose() }
    },

    async reset(remote, format, signal) {
      const key = keyOf(remote, format)
      discard(key)
      await make(key, format, signal)
      noteUse(key, remote)
    },

    scratch,

    async list() {
      const found = names().flatMap((id) => {
        const known = id.startsWith(TEMPORARY) ? undefined : readRecord(record(id))
        return known === undefined ? [] : [{ id, known }]
      })
      return await Promise.all(
        found.map(async ({ id, known }) => ({
          ...known,
          id,
          parents: [],
          type: 'regular' as const,
          inUse: inUse.has(id),
          shared: false,
          mutable: true,
          size: (await measureTree(gitDirectory(id))).size,
        })),
      )
    },

    async remove(id) {
      if (id.startsWith(TEMPORARY) || !names().includes(id)) throw notFound(`cache record ${id} not found`)
      if (inUse.has(id)) throw conflict(`cache record ${id} is in use`)
      using _lock = await locks.lock(id)
      if (names().includes(id)) discard(id)
    },

    restore() {
      for (const name of names()) if (name.startsWith(TEMPORARY)) deletions.delete(join(directory, name))
    },

    settled: () => deletions.settled(),
  }
}

function keyOf(remote: string, format: string): string {
  return createHash('sha256').update(`${format}\0${remote}`).digest('hex').slice(0, 32)
}
