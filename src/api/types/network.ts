/** Answers about networks. Source: Engine API 1.55 definitions. */

import type { Nullable } from './common.ts'

export interface IpamPool {
  Subnet?: string
  IPRange?: string
  Gateway?: string
  AuxiliaryAddresses?: Record<string, string>
}

export interface NetworkContainer {
  Name: string
  EndpointID: string
  MacAddress: string
  /** With prefix length, `172.17.0.2/16`. */
  IPv4Address: string
  IPv6Address: string
}

export interface NetworkSummary {
  Name: string
  Id: string
  Created: string
  Scope: string
  Driver: string
  EnableIPv4: boolean
  EnableIPv6: boolean
  IPAM: { Driver: string; Options: Nullable<Record<string, string>>; Config: Nullable<IpamPool[]> }
  Internal: boolean
  Attachable: boolean
  Ingress: boolean
  ConfigFrom: { Network: string }
  ConfigOnly: boolean
  Options: Nullable<Record<string, string>>
  Labels: Nullable<Record<string, string>>
  /** Always empty in lists before API 1.52, absent there since. */
  Containers?: Record<string, NetworkContainer>
}

export interface NetworkInspect extends NetworkSummary {
  Containers: Record<string, NetworkContainer>
  /** From API 1.52 on: addresses in use, by subnet. */
  Status?: { IPAM?: { Subnets?: Record<string, { IPsInUse: number; DynamicIPsAvailable: number }> } }
}

export interface NetworkCreateRequest {
  Name: string
  Driver?: string
  Scope?: string
  Internal?: boolean
  Attachable?: boolean
  Ingress?: boolean
  ConfigOnly?: boolean
  ConfigFrom?: Nullable<{ Network: string }>
  EnableIPv4?: boolean
  EnableIPv6?: boolean
  IPAM?: Nullable<{ Driver?: string; Options?: Nullable<Record<string, string>>; Config?: Nullable<IpamPool[]> }>
  Options?: Nullable<Record<string, string>>
  Labels?: Nullable<Record<string, string>>
}

export interface NetworkCreateResponse {
  Id: string
  Warning: string
}

export interface NetworkPruneResponse {
  NetworksDeleted: Nullable<string[]>
}
