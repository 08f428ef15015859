import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { conflict } from '#errors'
import type { RecordStorage } from '../storage/types.ts'

/** Held during a collection. `signal` aborts when it is lost. */
export interface CollectionLease extends AsyncDisposable {
  readonly signal?: AbortSignal
}

export interface CollectionLock {
  /** Throws CONFLICT when somebody else holds it. */
  acquire(): Promise<CollectionLease>
}

/** For a storage that only this process can use. */
export const OWN_STORAGE: CollectionLock = {
  acquire: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }),
}

export interface RecordLockOptions {
  /** Milliseconds after which a holder that says nothing counts as dead. */
  lifetime: number
  /** Milliseconds to wait before looking whether somebody else wrote at the same moment; longer than a request takes. */
  settle: number
  now?: () => number
}

/** The key of the lock's document. */
const KEY = 'locks/collection'
const DEFAULTS: RecordLockOptions = { lifetime: 120_000, settle: 3000 }

interface LockDocument {
  id: string
  holder: string
  expires: number
}

/**
 * A lock in a storage that several machines share. Such a storage has no "create unless it exists" that all services know, so whoever writes waits
 * and reads: the last writer has it. The holder renews; one that died is overtaken after the lifetime.
 */
export function createRecordLock(records: RecordStorage, options: RecordLockOptions = DEFAULTS): CollectionLock {
  const { lifetime, settle, now = Date.now } = options

  async function read(): Promise<LockDocument | undefined> {
    const content = await records.get(KEY)
    if (content === undefined) return undefined
    try {
      return JSON.parse(content.toString('utf8')) as LockDocument
    } catch {
      return undefined // damaged: nobody can hold it
    }
  }

  return {
    async acquire() {
      const id = randomUUID()
      const write = (): Promise<void> =>
        records.put(
          KEY,
          Buffer.from(JSON.stringify({ id, holder: `${hostname()}:${process.pid}`, expires: now() + lifetime } satisfies LockDocument)),
        )
      const refuseOther = (found: LockDocument | undefined): void => {
        if (found !== undefined && found.id !== id && found.expires > now()) throw conflict(`${found.holder} is collecting on this storage`)
      }

      refuseOther(await read())
      await write()
      await sleep(settle)
      refuseOther(await read())

      const lost = new AbortController()
      const renew = async (): Promise<void> => {
        try {
          const found = await read()
          if (found?.id !== id) throw conflict('the lock of the collection was taken over')
          await write()
        } catch (error) {
          lost.abort(error)
        }
      }
      const timer = setInterval(() => void renew(), lifetime / 4)
      return {
        signal: lost.signal,
        async [Symbol.asyncDispose]() {
          clearInterval(timer)
          if ((await read())?.id === id) await records.delete(KEY)
        },
      }
    },
  }
}
