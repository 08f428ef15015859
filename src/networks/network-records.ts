import { invalidArgument, notFound } from '#errors'
import type { Repository } from '#metadata'
import type { NetworkRecord } from './types.ts'

/** The networks there are, remembered: each start and each end of a container asks for them several times. */
export interface NetworkRecords {
  list(): NetworkRecord[]
  /** By full id, name, or unique id prefix. Throws NOT_FOUND `network x not found`. */
  get(ref: string): NetworkRecord
  put(record: NetworkRecord): void
  delete(id: string): void
}

export function createNetworkRecords(repository: Repository<NetworkRecord>): NetworkRecords {
  let known: readonly NetworkRecord[] | undefined

  function list(): NetworkRecord[] {
    known ??= repository.all().map(({ value }) => value)
    return [...known]
  }

  return {
    list,
    get(ref) {
      const all = list()
      const exact = all.find(({ id }) => id === ref) ?? all.find(({ name }) => name === ref)
      if (exact !== undefined) return exact
      const [found, ...more] = ref === '' ? [] : all.filter(({ id }) => id.startsWith(ref))
      if (found === undefined) throw notFound(`network ${ref} not found`)
      if (more.length > 0) {
        throw invalidArgument(`network ${ref} is ambiguous (${more.length + 1} matches found based on ID prefix)`)
      }
      return found
    },
    put(record) {
      repository.put(record.id, record)
      known = undefined
    },
    delete(id) {
      repository.delete(id)
      known = undefined
    },
  }
}
