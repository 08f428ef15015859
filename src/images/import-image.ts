import { hostPlatform, parsePlatform } from '#oci'
import type { Digest } from '#oci'
import { applyChanges } from './changes/apply-changes.ts'
import { createImages, storeConfig } from './create-image.ts'
import type { CreateDeps } from './create-image.ts'
import { parseNewName } from './name-image.ts'
import { openUrl, parseSourceUrl } from './open-url.ts'
import type { OpenedUrl } from './open-url.ts'
import type { ImportOptions } from './types.ts'

/** Milliseconds between two reports of a download. */
const PROGRESS_INTERVAL = 100

/** A root file system tar becomes an image of one layer. Source: moby daemon/images/image_import.go. */
export async function importImage(deps: CreateDeps, tar: AsyncIterable<Buffer>, options: ImportOptions): Promise<Digest> {
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

/** The same with a tar that is fetched. Nothing is fetched for a request that is wrong. */
export async function importFromUrl(deps: CreateDeps, source: string, options: ImportOptions): Promise<Digest> {
  const url = parseSourceUrl(source)
  parseNewName(options.repo, options.tag)
  applyChanges({}, options.changes)
  options.report?.({ status: `Downloading from ${url.href}` })
  const opened = await openUrl(url, options.signal === undefined ? {} : { signal: options.signal })
  return await importImage(deps, counted(opened, options), options)
}

/** Docker calls it importing while it comes. */
async function* counted({ body, size }: OpenedUrl, { report }: ImportOptions): AsyncGenerator<Buffer, void, void> {
  let current = 0
  let last = -Infinity
  for await (const chunk of body) {
    current += chunk.length
    const now = performance.now()
    if (size !== undefined && now - last >= PROGRESS_INTERVAL) {
      last = now
      report?.({ status: 'Importing', progress: { current, total: size } })
    }
    yield chunk
  }
}
