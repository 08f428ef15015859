import { createHash } from 'node:crypto'
import { internal } from '#errors'
import type { LocalSource } from '../../graph/types.ts'
import type { BuildSession } from '../../session.ts'
import type { SourceResolver, Step } from '../../types.ts'
import type { KeptDirectories } from './kept-directories.ts'
import { receiveEntries } from './receive-entries.ts'

/** Milliseconds between two reports of progress. */
const INTERVAL = 100

/** Directories of the client. */
export function createLocalSource(deps: { directories: Pick<KeptDirectories, 'receive'> }): SourceResolver<LocalSource> {
  return {
    async identify() {
      throw internal('a directory of the client is known by its content only')
    },

    async fetch(source, step) {
      const { name, includePatterns, excludePatterns, followPaths } = source
      const session = step.sessionOf(source.session)
      const signal = AbortSignal.any([step.signal, session.closed])
      const progress = showProgress(step, `transferring ${name}:`)
      await using transfer = await session.directory({ name, includePatterns, excludePatterns, followPaths, signal })
      const place = await transfer.place?.()
      if (place !== undefined) {
        progress.end()
        return { kind: 'directory', path: place, generation: session.id }
      }
      const entries = await receiveEntries(transfer)
      const held = await deps.directories.receive({
        key: keyOf(source, session),
        description: `local source for ${name}`,
        entries,
        transfer,
        signal,
        received: (bytes) => progress.add(bytes),
      })
      progress.end()
      const release = (): void => held[Symbol.dispose]()
      if (session.closed.aborted) release()
      else session.closed.addEventListener('abort', release, { once: true })
      return {
        kind: 'directory',
        path: held.path,
        generation: held.generation,
        release() {
          session.closed.removeEventListener('abort', release)
          release()
        },
      }
    },
  }
}

/** Which directory is kept for it: the same one for the same name, hint and client, whatever is wanted of it. undefined: for none. */
function keyOf({ name, sharedKeyHint }: LocalSource, { sharedKey }: BuildSession): string | undefined {
  if (sharedKey === '') return undefined
  return createHash('sha256').update([name, sharedKeyHint, sharedKey].join('\0')).digest('hex').slice(0, 32)
}

function showProgress(step: Step, id: string): { add: (bytes: number) => void; end: () => void } {
  let current = 0
  let last = -Infinity
  step.status(id, { current })
  return {
    add(bytes) {
      current += bytes
      const now = performance.now()
      if (now - last < INTERVAL) return
      last = now
      step.status(id, { current })
    },
    end: () => step.status(id, { current, done: true }),
  }
}
