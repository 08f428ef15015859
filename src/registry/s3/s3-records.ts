import { buffer } from 'node:stream/consumers'
import { invalidArgument } from '#errors'
import type { RecordStorage } from '../storage/types.ts'
import type { Bucket } from './types.ts'

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/

/** Keys of records: `records/<key>`. */
export function createS3Records(bucket: Bucket): RecordStorage {
  function keyOf(key: string): string {
    // Keys are made of checked names; this is the second lock on the door out of the prefix.
    if (!key.split('/').every((segment) => SEGMENT.test(segment))) throw invalidArgument(`invalid record key "${key}"`)
    return `records/${key}`
  }

  return {
    async get(key) {
      const body = await bucket.get(keyOf(key))
      return body && (await buffer(body))
    },

    put: (key, value) => bucket.put(keyOf(key), value),

    delete: (key) => bucket.delete(keyOf(key)),

    async *list(directory, { after, limit = Infinity } = {}) {
      let left = limit
      if (left <= 0) return
      for await (const child of bucket.children(keyOf(directory), { pageSize: limit, ...(after !== undefined && { after }) })) {
        if (child.kind === 'directory') continue
        yield child.name
        if (--left === 0) return
      }
    },

    async *directories(directory, { after = '', limit = Infinity } = {}) {
      // S3 sorts `a-b/` before `a/`; the contract wants the order of the names, which needs all of them.
      const names: string[] = []
      for await (const child of bucket.children(keyOf(directory))) if (child.kind === 'directory') names.push(child.name)
      yield* names
        .filter((name) => name > after)
        .sort()
        .slice(0, limit)
    },
  }
}
