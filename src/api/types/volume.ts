/** Answers about volumes. Source: Engine API 1.55 definitions. */

import type { Nullable } from './common.ts'

export interface Volume {
  Name: string
  Driver: string
  Mountpoint: string
  CreatedAt?: string
  Labels: Nullable<Record<string, string>>
  Scope: string
  Options: Nullable<Record<string, string>>
  /** Only in `GET /system/df`. Bytes; containers that mount it. */
  UsageData?: { Size: number; RefCount: number }
}

export interface VolumeListResponse {
  Volumes: Volume[]
  Warnings: Nullable<string[]>
}

export interface VolumeCreateRequest {
  Name?: string
  Driver?: string
  DriverOpts?: Nullable<Record<string, string>>
  Labels?: Nullable<Record<string, string>>
}

export interface VolumePruneResponse {
  VolumesDeleted: Nullable<string[]>
  SpaceReclaimed: number
}
