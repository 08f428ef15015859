/** Answers about registries. Source: Engine API 1.55 definitions. */

import type { Nullable, WireDescriptor, WirePlatform } from './common.ts'

/** Body of `POST /auth`, and what `X-Registry-Auth` holds. */
export interface AuthConfig {
  username?: string
  password?: string
  /** base64 of `user:password`: the form of config.json. */
  auth?: string
  serveraddress?: string
  identitytoken?: string
  registrytoken?: string
}

export interface AuthResponse {
  Status: string
  /** To be kept instead of the password; empty where the registry gives none. */
  IdentityToken: string
}

export interface ImageSearchItem {
  star_count: number
  is_official: boolean
  name: string
  is_automated: boolean
  description: string
}

export interface DistributionInspect {
  Descriptor: WireDescriptor
  Platforms: Nullable<WirePlatform[]>
}
