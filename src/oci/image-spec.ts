/**
 * Image manifests, indexes and configs. Unknown fields survive because the bytes are kept; these types name what Gantry reads.
 * Source: opencontainers/image-spec v1.1.1 (manifest.md, image-index.md, config.md) and Docker image manifest v2 schema 2.
 */

export const MEDIA_TYPES = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

/** `sha256:<64 hex digits>`, checked by `parseDigest`. */
export type Digest = `sha256:${string}`

export interface Descriptor {
  mediaType: string
  digest: Digest
  /** Bytes. */
  size: number
  annotations?: Record<string, string>
  platform?: Platform
  urls?: string[]
}

export interface Platform {
  architecture: string
  os: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
}

export interface ImageManifest {
  schemaVersion: 2
  mediaType?: string
  config: Descriptor
  layers: Descriptor[]
  annotations?: Record<string, string>
}

export interface ImageIndex {
  schemaVersion: 2
  mediaType?: string
  manifests: Descriptor[]
  annotations?: Record<string, string>
}

/** The image configuration as stored, including Docker's additions (Healthcheck, Shell, OnBuild …). */
export interface ImageConfigFile {
  created?: string
  author?: string
  architecture: string
  os: string
  variant?: string
  config?: ImageProcessConfig
  rootfs: { type: 'layers'; diff_ids: Digest[] }
  history?: ImageHistoryEntry[]
  [unknown: string]: unknown
}

export interface ImageHistoryEntry {
  created?: string
  created_by?: string
  author?: string
  comment?: string
  empty_layer?: boolean
}

/** Field names are the wire's and the file's: this object is stored and shown as it is. */
export interface ImageProcessConfig {
  User?: string
  ExposedPorts?: Record<string, object> | null
  Env?: string[] | null
  Entrypoint?: string[] | null
  Cmd?: string[] | null
  Volumes?: Record<string, object> | null
  WorkingDir?: string
  Labels?: Record<string, string> | null
  StopSignal?: string
  ArgsEscaped?: boolean
  /** Durations in nanoseconds. */
  Healthcheck?: { Test?: string[]; Interval?: number; Timeout?: number; StartPeriod?: number; StartInterval?: number; Retries?: number }
  Shell?: string[]
  OnBuild?: string[] | null
  StopTimeout?: number
}
