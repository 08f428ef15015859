import { Readable } from 'node:stream'
import { tarEntry, writeTar } from '#archive'
import type { WritableEntry } from '#archive'
import { chainIds } from '#oci'
import type { Digest, Platform } from '#oci'
import type { ManifestDeps } from '../manifest-summaries.ts'
import { archiveFiles } from './archive-files.ts'
import type { ArchivedImage, ArchiveFile } from './archive-files.ts'
import { archiveImage } from './archived-image.ts'
import type { SavedImage } from './choose-images.ts'

/**
 * The archive: an OCI layout, and Docker's `manifest.json` and `repositories` beside it, as Docker writes it since 25. Equal images give equal archives:
 * times are the images' own. Throws at once NOT_FOUND for a platform that is not here, DATA_LOSS for content that is lost. Until the archive is closed all
 * that it consists of is under a lease.
 */
export function saveImages(deps: ManifestDeps, images: readonly SavedImage[], platforms: readonly Platform[]): Readable {
  using undo = new DisposableStack()
  // All of it now: the rows may be gone when their turn comes. A download takes as long as the client likes; what is removed meanwhile stays until it is over.
  const lease = undo.use(deps.content.lease())
  const archived = images.map((image) => archiveImage(deps, image, platforms))
  for (const image of archived) for (const digest of heldFor(deps, image)) lease.hold(digest)
  const archive = Readable.from(archiveTar(archiveFiles(archived, 'docker')), { objectMode: false })
  const held = undo.move()
  return archive.once('close', () => held.dispose())
}

/** The tar archive of an image archive's files. */
export function archiveTar(files: readonly ArchiveFile[]): AsyncGenerator<Buffer, void, void> {
  return writeTar(archiveEntries(files))
}

function* archiveEntries(files: readonly ArchiveFile[]): Generator<WritableEntry, void, void> {
  yield { entry: tarEntry({ type: 'directory', path: 'blobs/', mode: 0o755 }) }
  yield { entry: tarEntry({ type: 'directory', path: 'blobs/sha256/', mode: 0o755 }) }
  for (const { path, size, open } of files) yield { entry: tarEntry({ path, size }), body: open() }
}

/** Blobs, and the layers that are read from where they are unpacked. */
function heldFor({ store }: ManifestDeps, { blobs, single, isMade }: ArchivedImage): Digest[] {
  return [...blobs.map(({ digest }) => digest), ...(isMade ? chainIds(store.config(single.config).rootfs.diff_ids) : [])]
}
