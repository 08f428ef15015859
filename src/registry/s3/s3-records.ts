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
      const prefix = `${keyOf(directory)}/`
      let left = limit
      if (left <= 0) return
      // Documents and directories are not mixed in one place: what is below needs no delimiter.
      for await (const { key, modified } of bucket.list(prefix, { ...(after !== undefined && { after: prefix + after }), limit })) {
        const name = key.slice(prefix.length)
        if (name.includes('/')) continue
        yield { name, modified }
        if (--left === 0) return
      }
    },

    async *directories(directory, { after = '', limit = Infinity } = {}) {
      // S3 sorts `a-b/` before `a/`; the contract wants the order of the names, which needs all of them.
      const names: string[] = []
      for await (const child of bucket.children(keyOf(directory))) if ('directory' in child) names.push(child.directory)
      yield* names
        .filter((name) => name > after)
        .sort()
        .slice(0, limit)
    },
  }
}
