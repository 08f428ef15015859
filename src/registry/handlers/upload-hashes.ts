import { createDigester, type Digester } from '#oci'

/** A hash state is a few hundred bytes. */
const MAX_ENTRIES = 4096

/**
 * The hash of what has come of each upload, so that nothing is read again at its end. Only a help: after a restart, a failed write, or for the
 * oldest of too many, the stored bytes are hashed anew.
 */
export interface UploadHashes {
  /** Takes out the hash of the first `size` bytes of an upload. */
  take(id: string, size: number): Digester | undefined
  put(id: string, size: number, digester: Digester): void
}

export function createUploadHashes(): UploadHashes {
  const entries = new Map<string, { size: number; digester: Digester }>()
  return {
    take(id, size) {
      const entry = entries.get(id)
      entries.delete(id)
      return entry?.size === size ? entry.digester : undefined
    },
    put(id, size, digester) {
      const oldest = entries.size < MAX_ENTRIES ? undefined : entries.keys().next().value
      if (oldest !== undefined) entries.delete(oldest)
      entries.set(id, { size, digester })
    },
  }
}

/** Hashes a stream. */
export async function hashOf(content: AsyncIterable<Uint8Array>): Promise<Digester> {
  const digester = createDigester()
  for await (const chunk of content) digester.update(chunk)
  return digester
}
