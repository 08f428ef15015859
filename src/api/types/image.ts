/** Answers about images. Source: Engine API 1.55 definitions. */

import type { Nullable, WireDescriptor } from './common.ts'

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
