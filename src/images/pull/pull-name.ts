import type { Descriptor, Digest, Reference } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { BlobPlaces } from '../blob-places.ts'
import { createImages } from '../create-image.ts'
import type { CreateDeps, NewName } from '../create-image.ts'
import type { ProgressMessage } from '../types.ts'
import { fetchLayers, findRemoteImage } from './fetch-image.ts'
import type { FetchImageDeps, FetchImageOptions } from './fetch-image.ts'

export interface PullNameDeps extends CreateDeps, FetchImageDeps {
  places: Pick<BlobPlaces, 'add'>
}

export interface PullNameOptions extends FetchImageOptions {
  repository: RemoteRepository
  report: (message: ProgressMessage) => void
}

export interface PulledName {
  image: Digest
  /** Whether the name is new, or has meant another image. */
  isNew: boolean
}

/** Pulls what one tag or digest means, and gives it its names: the tag, and the digest of what the tag points to. Source: moby daemon/internal/distribution/pull_v2.go. */
export async function pullName(deps: PullNameDeps, name: Reference, options: PullNameOptions): Promise<PulledName> {
  const { store } = deps
  const { lease, report } = options
  const found = await findRemoteImage(deps, name, {
    ...options,
    known: store.find(name)?.target,
    named: () => report({ id: name.digest ?? name.tag ?? '', status: `Pulling from ${name.path}` }),
  })
  const { target, manifest } = found
  const image = manifest.config.digest
  await fetchLayers(deps, found, { ...options, isKnown: store.has(image) })
  const isNew = store.find(name)?.image !== image
  await createImages(deps, [{ config: image, parent: '', names: namesOf(name, target) }], lease)
  for (const { digest } of manifest.layers) deps.places.add(digest, name)
  report({ status: `Digest: ${target.digest}` })
  return { image, isNew }
}

function namesOf(name: Reference, target: Descriptor): NewName[] {
  const { domain, path } = name
  const canonical = { reference: { domain, path, digest: target.digest }, target }
  return name.digest === undefined ? [{ reference: name, target }, canonical] : [canonical]
}
