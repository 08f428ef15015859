import { refusePromise } from './refuse-promise.ts'
import type { CollectionName, Metadata, Repository } from './types.ts'

/** {@link Metadata} that is gone with the process; for tests. Keeps JSON text, so that what JSON cannot hold is lost here too. */
export function createMemoryMetadata(): Metadata {
  let collections = new Map<CollectionName, Map<string, string>>()

  function collection(name: CollectionName): Map<string, string> {
    const documents = collections.get(name) ?? new Map<string, string>()
    collections.set(name, documents)
    return documents
  }

  return {
    repository: <T>(name: CollectionName): Repository<T> => ({
      get(key) {
        const json = collection(name).get(key)
        return json === undefined ? undefined : (JSON.parse(json) as T)
      },
      put(key, value) {
        collection(name).set(key, JSON.stringify(value))
      },
      delete(key) {
        collection(name).delete(key)
      },
      all: () => [...collection(name)].map(([key, json]) => ({ key, value: JSON.parse(json) as T })),
    }),
    transaction(change) {
      const before = new Map([...collections].map(([name, documents]) => [name, new Map(documents)]))
      try {
        return refusePromise(change())
      } catch (error) {
        collections = before
        throw error
      }
    },
    integrity: () => [],
    damaged: () => [],
    forgetDamaged() {},
    close() {},
    [Symbol.dispose]() {},
  }
}
