import type { StoredUpload } from '../storage/types.ts'

/** How far an upload is and where it goes on. An empty one has the range of one byte, too: there is no other way to say it. */
export function uploadHeaders({ id, owner, size }: Pick<StoredUpload, 'id' | 'owner' | 'size'>): Record<string, string> {
  return {
    Location: `/v2/${owner}/blobs/uploads/${id}`,
    Range: `0-${Math.max(size - 1, 0)}`,
    'Docker-Upload-UUID': id,
  }
}
