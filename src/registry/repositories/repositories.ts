import { KeyedMutex } from '#lib'
import type { RegistryStorage } from '../storage/types.ts'
import { isRepositoryName } from './names.ts'
import { ROOT } from './record-keys.ts'
import { createRepository } from './repository.ts'
import type { BlobKeeper, Repositories } from './types.ts'

export function createRepositories(storage: RegistryStorage, keeper: BlobKeeper): Repositories {
  const locks = new KeyedMutex()
  const deps = { storage, keeper, locks }

  /** Repositories below `parent` (a name, or empty for all) that sort behind the components of `after`. */
  async function* below(parent: string, after: readonly string[]): AsyncIterable<string> {
    const [first, ...rest] = after
    // What a client calls `last` may be any text; only names become keys.
    if (first !== undefined && isRepositoryName(first)) {
      // `first` itself sorts before what is in it, so it was listed already when it is named; what is in it may come still.
      yield* below(join(parent, first), rest)
    }
    for await (const component of storage.records.directories(join(ROOT, parent), first === undefined ? {} : { after: first })) {
      if (component.startsWith('_')) continue
      const name = join(parent, component)
      if (await createRepository(name, deps).exists()) yield name
      yield* below(name, [])
    }
  }

  return {
    open: (name) => createRepository(name, deps),

    async *names({ after, limit = Infinity } = {}) {
      let count = 0
      if (limit === 0) return
      for await (const name of below('', after === undefined ? [] : after.split('/'))) {
        yield name
        if (++count >= limit) return
      }
    },
  }
}

function join(...parts: string[]): string {
  return parts.filter((part) => part !== '').join('/')
}
