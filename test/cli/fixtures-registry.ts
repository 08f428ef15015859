/** What the fake engine says of registries: results of a search, the progress of pulls and pushes. */

const DIGEST = `sha256:${'9'.repeat(64)}`

export const SEARCH: object[] = [
  { star_count: 3, is_official: false, name: 'me/busybox', is_automated: false, description: 'Mine' },
  { star_count: 9000, is_official: true, name: 'busybox', is_automated: false, description: 'A base image that is described\nat greater length than fits a column.' },
]

/** Up to, but not with, the last line. */
export function pullMessages(tag: string): object[] {
  return [
    { status: 'Pulling from library/busybox', id: tag },
    { status: 'Pulling fs layer', progressDetail: {}, id: '0123456789ab' },
    { status: 'Already exists', progressDetail: {}, id: 'ba9876543210' },
    { status: 'Downloading', progressDetail: { current: 1000, total: 2000 }, progress: 'x', id: '0123456789ab' },
    { status: 'Verifying Checksum', progressDetail: {}, id: '0123456789ab' },
    { status: 'Download complete', progressDetail: {}, id: '0123456789ab' },
    { status: 'Extracting', progressDetail: { current: 500, total: 2000 }, progress: 'x', id: '0123456789ab' },
    { status: 'Pull complete', progressDetail: {}, id: '0123456789ab' },
    { status: `Digest: ${DIGEST}` },
  ]
}

/** `stripped`: only a manifest of the index could be pushed. */
export function pushMessages(tag: string, stripped: boolean): object[] {
  const index = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: `sha256:${'8'.repeat(64)}`, size: 1000 }
  const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: DIGEST, size: 500 }
  return [
    { status: 'The push refers to repository [docker.io/library/busybox]' },
    { status: 'Preparing', progressDetail: {}, id: '0123456789ab' },
    { status: 'Pushing', progressDetail: { current: 512, total: 2000 }, progress: 'x', id: '0123456789ab' },
    { status: 'Layer already exists', progressDetail: {}, id: '0123456789ab' },
    { status: `${tag}: digest: ${DIGEST} size: 500` },
    ...(stripped ? [{ aux: { manifestPushedInsteadOfIndex: true, originalIndex: index, selectedManifest: manifest } }] : []),
    { progressDetail: {}, aux: { Tag: tag, Digest: DIGEST, Size: 500 } },
  ]
}
