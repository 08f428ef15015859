/** Answers about images. Source: Engine API 1.55 definitions. */

import type { Nullable, WireDescriptor, WirePlatform } from './common.ts'

/** One manifest of an image: of a platform, or an attestation. From API 1.47 on. */
export interface ImageManifestSummary {
  ID: string
  Descriptor: WireDescriptor
  Available: boolean
  /** Bytes of what is here: blobs, and blobs with unpacked files. */
  Size: { Content: number; Total: number }
  Kind: 'image' | 'attestation' | 'unknown'
  ImageData?: { Platform: WirePlatform; Containers: string[]; Size: { Unpacked: number } }
  AttestationData?: { For: string }
}

/** One in-toto statement of an image. From API 1.55 on. */
export interface AttestationStatement {
  Descriptor: WireDescriptor
  PredicateType: string
  Statement?: unknown
}

export interface ImageSummary {
  Id: string
  ParentId: string
  RepoTags: string[]
  RepoDigests: string[]
  /** Unix seconds. */
  Created: number
  Size: number
  /** Bytes shared with other images; -1: not asked for. */
  SharedSize: number
  /** Only before API 1.44. */
  VirtualSize?: number
  Labels: Nullable<Record<string, string>>
  /** Containers made from it; -1: not counted. */
  Containers: number
  Manifests?: ImageManifestSummary[]
  Descriptor?: WireDescriptor
}

export interface ImageInspect {
  Id: string
  RepoTags: string[]
  RepoDigests: string[]
  Parent?: string
  Comment?: string
  Created?: string
  DockerVersion?: string
  Author?: string
  /** Wire names, as stored in the image; which members are present depends on the API version. */
  Config: Nullable<Record<string, unknown>>
  Architecture: string
  Variant?: string
  Os: string
  OsVersion?: string
  Size: number
  VirtualSize?: number
  GraphDriver?: { Name: string; Data: Nullable<Record<string, string>> }
  RootFS: { Type: string; Layers?: string[] }
  Metadata: { LastTagTime: string }
  Descriptor?: WireDescriptor
  Manifests?: ImageManifestSummary[]
  Container?: string
  ContainerConfig?: unknown
}

export interface ImageHistoryItem {
  Id: string
  Created: number
  CreatedBy: string
  Tags: Nullable<string[]>
  Size: number
  Comment: string
}

export type ImageDeleteItem = { Untagged: string } | { Deleted: string }

export interface ImagePruneResponse {
  ImagesDeleted: Nullable<ImageDeleteItem[]>
  SpaceReclaimed: number
}
