import type { Readable } from 'node:stream'
import { hostPlatform, parsePlatform } from '#oci'
import type { Digest } from '#oci'
import { applyChanges } from './changes/apply-changes.ts'
import { createImages, storeConfig } from './create-image.ts'
import type { CreateDeps } from './create-image.ts'
import { parseNewName } from './name-image.ts'
import type { ImportOptions } from './types.ts'

/** A root file system tar becomes an image of one layer. Source: moby daemon/images/image_import.go. */
export async function importImage(deps: CreateDeps, tar: Readable, options: ImportOptions): Promise<Digest> {
  const name = parseNewName(options.repo, options.tag)
  const config = applyChanges({}, options.changes)
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform)
  const { signal } = options
  using lease = deps.content.lease()
  const blob = await deps.content.ingest(tar, { lease, ...(signal === undefined ? {} : { signal }) })
  const layer = await deps.snapshotter.unpack(blob.digest, { lease, ...(signal === undefined ? {} : { signal }) })
  deps.snapshotter.stack(undefined, layer.diffId, lease)
  const created = new Date().toISOString()
  const id = await storeConfig(
    deps.content,
    {
      architecture: platform.architecture,
      ...(platform.variant === undefined ? {} : { variant: platform.variant }),
      os: platform.os,
      created,
      comment: options.message,
      config,
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created, comment: options.message }],
    },
    lease,
  )
  await createImages(deps, [{ config: id, parent: '', names: name === undefined ? [] : [{ reference: name }] }], lease, 'import')
  return id
}
