/** What the API edge needs from the rest of the engine: the domain services, and the few facts that belong to none of them. */

import type { Duplex } from 'node:stream'
import type { SystemInfo, SystemVersion } from '#api'
import type { BuildService, ClassicBuilder } from '#build'
import type { ContainerService } from '#containers'
import type { ContentStore } from '#content'
import type { EventBus } from '#events'
import type { Fsck } from '#fsck'
import type { ImageService } from '#images'
import type { NetworkService } from '#networks'
import type { Remotes } from '#remotes'
import type { VolumeService } from '#volumes'

/** Facts about the engine and its host. Answers are wire shapes of the newest API version; the server takes away what older versions lack. */
export interface SystemBackend {
  /** Everything of `GET /info`; counts of containers and images included. */
  info(): Promise<SystemInfo>
  /** Everything of `GET /version` except the API versions, which the server knows itself. */
  version(): Promise<Omit<SystemVersion, 'ApiVersion' | 'MinAPIVersion'>>
}

/** BuildKit's gRPC on connections that were opened here. Both methods resolve when the connection has closed. */
export interface BuildkitBackend {
  /** Answers calls on the socket that `accept` gives. */
  serve(accept: () => Duplex): Promise<void>
  /** Calls the services of the client on the socket that `accept` gives. Throws CONFLICT, before `accept`, for an id in use. */
  openSession(accept: () => Duplex, hello: { id: string; sharedKey: string }): Promise<void>
}

export interface ApiServerDeps {
  containers: ContainerService
  images: ImageService
  networks: NetworkService
  volumes: VolumeService
  events: EventBus
  system: SystemBackend
  remotes: Pick<Remotes, 'repository' | 'login' | 'search'>
  /** Attestations are read from it, which are blobs and nothing else. */
  content: Pick<ContentStore, 'has' | 'readAll'>
  fsck: Fsck
  builds: Pick<BuildService, 'cancel' | 'diskUsage' | 'prune'>
  classicBuilder: ClassicBuilder
  buildkit: BuildkitBackend
  /** For the header `Server: Docker/<version> (linux)`. */
  serverVersion: string
  /** Lowest API version served, `1.24` or later; daemon.json `min-api-version`. */
  minApiVersion?: string | undefined
  /** Answered in the header `Docker-Experimental`. */
  experimental?: boolean
  /** Told about every request that ended in a 500; never about what the client did wrong or what is not implemented. */
  onInternalError?: (request: string, error: unknown) => void
}
