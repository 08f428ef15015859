import type { ContentStore, Lease } from '#content'
import type { Descriptor } from '#oci'

/** Images whose documents are kept. */
const MOST = 64

/**
 * Manifests and configs of the images that builds asked for last: nothing else keeps them, and the next build would fetch them again only to hear that nothing
 * has changed. Some kilobytes each.
 */
export interface RecentDocuments extends Disposable {
  /** What a name meant when it was asked for last. */
  known(name: string): Descriptor | undefined
  /** Gives a lease under which the documents of a name are fetched, and keeps it when that went well. */
  fetch<T extends { target: Descriptor }>(name: string, fetch: (lease: Lease) => Promise<T>): Promise<T>
}

export function createRecentDocuments({ content }: { content: Pick<ContentStore, 'lease'> }): RecentDocuments {
  /** The one that was asked for longest ago comes first. */
  const entries = new Map<string, { target: Descriptor; lease: Lease }>()

  function drop(name: string): void {
    entries.get(name)?.lease[Symbol.dispose]()
    entries.delete(name)
  }

  return {
    known: (name) => entries.get(name)?.target,
    async fetch(name, fetch) {
      using undo = new DisposableStack()
      const lease = undo.use(content.lease())
      const fetched = await fetch(lease)
      undo.move()
      drop(name)
      entries.set(name, { target: fetched.target, lease })
      for (const oldest of entries.keys()) if (entries.size > MOST) drop(oldest)
      return fetched
    },
    [Symbol.dispose]() {
      for (const name of [...entries.keys()]) drop(name)
    },
  }
}
