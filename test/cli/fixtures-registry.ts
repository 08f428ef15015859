/** What the fake engine says of registries: results of a search, the progress of pulls and pushes. */

const DIGEST = `sha256:${'9'.repeat(64)}`

export const SEARCH: object[] = [
  { star_count: 3, is_official: false, name: 'me/busybox', is_automated: false, description: 'Mine' },
  {
    star_count: 9000,
    is_official: true,
    name: 'busybox',
    is_automated: false,
    description: 'A base image that is described\nat greater length than fits a column.',
  },
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

function manifest(pair: string, platform: object, options: { available?: boolean; containers?: string[] } = {}): object {
  const { available = true, containers = [] } = options
  const size = available ? 4_000_000 : 0
  return {
    ID: `sha256:${pair.repeat(32)}`,
    Descriptor: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${pair.repeat(32)}`, size: 500 },
    Available: available,
    Size: { Content: size, Total: 3 * size },
    Kind: 'image',
    ImageData: { Platform: platform, Containers: containers, Size: { Unpacked: 2 * size } },
  }
}

function attestation(pair: string, subject: string): object {
  return {
    ID: `sha256:${pair.repeat(32)}`,
    Descriptor: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${pair.repeat(32)}`, size: 500 },
    Available: false,
    Size: { Content: 0, Total: 0 },
    Kind: 'attestation',
    AttestationData: { For: `sha256:${subject.repeat(32)}` },
  }
}

const CREATED = Math.floor(Date.now() / 1000) - 3 * 86400

function image(pair: string, age: number, tags: string[], manifests: object[], containers = -1): object {
  return {
    Id: `sha256:${pair.repeat(32)}`,
    ParentId: '',
    RepoTags: tags,
    RepoDigests: [],
    Created: CREATED - age,
    Size: 12_345_678,
    SharedSize: -1,
    Labels: null,
    Containers: containers,
    Manifests: manifests,
  }
}

/** Images with manifests: several platforms, one in use, one that is not here, attestations; without a name, without manifests. */
export const TREE: object[] = [
  image('a1', 10, ['alone:1'], [manifest('b1', { os: 'linux', architecture: 'amd64' })]),
  image(
    'a2',
    5,
    ['registry.example:5000/several/platforms:latest', 'several:1'],
    [
      manifest('b2', { os: 'linux', architecture: 'amd64' }, { containers: ['c'.repeat(64)] }),
      manifest('b3', { os: 'linux', architecture: 'arm', variant: 'v7' }),
      manifest('b4', { os: 'linux', architecture: 's390x' }, { available: false }),
      attestation('b5', 'b2'),
    ],
  ),
  image('a3', 20, [], [manifest('b6', { os: 'linux', architecture: 'amd64' })]),
  image('a4', 30, ['made:here'], [], 2),
  image('a6', 35, ['registry.example:5000/a/name/that/is/longer/than/any/column:latest'], []),
  image('a5', 40, ['gone:1'], [manifest('b7', { os: 'linux', architecture: 'amd64' }, { available: false })]),
]
