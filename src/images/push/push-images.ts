/**
 * `docker push`: one name, or all tags of a repository. Messages and texts are Docker's: clients draw bars from the ids and parse the last line.
 * Source: moby distribution/push.go and push_v2.go; daemon/containerd/image_push.go for what is done with an index.
 */

import { invalidArgument, notFound } from '#errors'
import { familiarName, familiarString, fullName } from '#oci'
import type { Reference } from '#oci'
import type { Remotes } from '#remotes'
import type { ImageStore } from '../image-store.ts'
import type { PushOptions } from '../types.ts'
import { pushName } from './push-name.ts'
import type { PushNameDeps } from './push-name.ts'

export interface PushDeps extends PushNameDeps {
  remotes: Pick<Remotes, 'repository'>
}

/** Throws what {@link Remotes} throws; NOT_FOUND when there is no such image here. */
export async function pushImages(deps: PushDeps, options: PushOptions): Promise<void> {
  const { reference, report } = options
  report({ status: `The push refers to repository [${fullName(reference)}]` })
  const repository = deps.remotes.repository(reference, 'push', {
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  for (const name of chooseNames(deps.store, reference)) await pushName(deps, repository, name, options)
}

function chooseNames(store: ImageStore, reference: Reference): Reference[] {
  const tags = store.byName(reference.domain, reference.path).filter(({ digest }) => digest === undefined)
  if (tags.length === 0) throw notFound(`An image does not exist locally with the tag: ${familiarName(reference)}`)
  if (reference.digest !== undefined) throw invalidArgument('cannot push a digest reference')
  if (reference.tag === undefined) return tags
  if (store.find(reference) === undefined) throw notFound(`tag does not exist: ${familiarString(reference)}`)
  return [reference]
}
