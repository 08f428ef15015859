import { digestOf, hostPlatform } from '#oci'
import type { Digest, ImageConfigFile } from '#oci'
import { END_OF_ARCHIVE } from '#archive'
import { applyChanges } from './changes/apply-changes.ts'
import { createImages, storeConfig } from './create-image.ts'
import type { CreateDeps } from './create-image.ts'
import { parseNewName } from './name-image.ts'
import type { CommitOptions } from './types.ts'

/** The archive of a container that has written nothing: it becomes no layer. */
const EMPTY_TAR: Digest = digestOf(END_OF_ARCHIVE)

/** A container's writable layer becomes an image on top of the one it was made from. Source: moby daemon/images/image_commit.go. */
export async function commitImage(deps: CreateDeps, options: CommitOptions): Promise<Digest> {
  const { content, snapshotter, store } = deps
  const name = parseNewName(options.repo, options.tag)
  const config = applyChanges(options.config ?? {}, options.changes)
  using lease = content.lease()
  const parent = options.parent === '' ? undefined : { ...store.config(options.parent), chain: store.row(options.parent)?.chain }
  // The image may be removed by force while the layer is read, and the container as well.
  if (parent?.chain !== undefined) lease.hold(parent.chain)
  const blob = await content.ingest(snapshotter.diff(options.key), { lease })
  const isEmpty = blob.digest === EMPTY_TAR
  const diffIds = [...(parent?.rootfs.diff_ids ?? [])]
  if (!isEmpty) {
    const layer = await snapshotter.unpack(blob.digest, { lease })
    snapshotter.stack(parent?.chain, layer.diffId, lease)
    diffIds.push(layer.diffId)
  }
  const created = new Date().toISOString()
  const platform = parent ?? hostPlatform()
  const file: ImageConfigFile = {
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    created,
    ...written('author', options.author),
    ...written('comment', options.comment),
    config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [
      ...(parent?.history ?? []),
      {
        created,
        author: options.author,
        created_by: options.createdBy,
        comment: options.comment,
        ...(isEmpty ? { empty_layer: true } : {}),
      },
    ],
  }
  const id = await storeConfig(content, file, lease)
  await createImages(
    deps,
    [{ config: id, parent: options.parent, names: name === undefined ? [] : [{ reference: name }] }],
    lease,
    'create',
  )
  return id
}

/** Empty members are left out, as Go's encoder does: the image's id depends on it. */
function written(name: string, value: string): Record<string, string> {
  return value === '' ? {} : { [name]: value }
}
