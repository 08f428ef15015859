/** Registry client; see `types.ts`. */
export type {
  Credentials,
  FetchBlobOptions,
  HostCapability,
  HostResolver,
  PushBlobOptions,
  PushedBlob,
  RegistryHost,
  RemoteManifest,
  RemoteOptions,
  RemoteRepository,
  Remotes,
  SearchResult,
} from './types.ts'
