/**
 * The Docker Engine API as bytes see it: version numbers, the shapes of requests and answers, and the codecs of its two stream formats.
 *
 * Purpose: one description of the wire that the server writes, the client reads and a web page can import. Nothing in here knows the
 * engine, and nothing in the engine (layers 3 to 5) knows this module: `server/` translates.
 *
 * Glossary:
 * - **wire name**: a field as Docker spells it (`HostConfig`); the types here use wire names only.
 * - **version**: the minor of `1.x` as an integer ({@link ApiVersion}).
 * - **frame**: piece of a multiplexed stream with its 8-byte header (`stdcopy.ts`).
 * - **progress stream**: JSON objects, one per line, that tell how a long operation goes ({@link JsonMessage}).
 *
 * Example, printing what a container writes:
 * ```ts
 * const decoder = new FrameDecoder((stream, payload) => (stream === 'stderr' ? process.stderr : process.stdout).write(payload))
 * for await (const chunk of response) decoder.write(chunk)
 * ```
 */

export { MAX_API_VERSION, MIN_API_VERSION, formatVersion, parseVersion, type ApiVersion } from './versions.ts'
export { FRAME_HEADER_SIZE, FrameDecoder, STREAM_IDS, encodeFrame, type StreamName } from './stdcopy.ts'
export { JsonLineDecoder, MEDIA_TYPES, encodeJsonRecord, encodeProgress } from './json-stream.ts'

export type { ErrorResponse, IdResponse, JsonMessage, Nullable, WireDescriptor, WirePlatform } from './types/common.ts'
export type {
  ContainerConfig,
  ContainerCreateRequest,
  DeviceMapping,
  DeviceRequest,
  EndpointIpamConfig,
  EndpointSettings,
  HealthConfig,
  HostConfig,
  Mount,
  NetworkingConfig,
  PortBinding,
  PortMap,
  Resources,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
} from './types/container-config.ts'
export type {
  ContainerCreateResponse,
  ContainerInspect,
  ContainerPathStat,
  ContainerPruneResponse,
  ContainerState,
  ContainerStatus,
  ContainerSummary,
  ContainerTopResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  ExecCreateRequest,
  ExecInspect,
  ExecStartRequest,
  FilesystemChange,
  Health,
  HealthcheckResult,
  MountPoint,
  NetworkSettings,
  PortSummary,
} from './types/container.ts'
export type { BuildCacheRecord, BuildPruneReport } from './types/build.ts'
export type { BlkioEntry, BlkioStats, ContainerStats, CpuStats, MemoryStats, NetworkStats } from './types/stats.ts'
export type {
  AttestationStatement,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageManifestSummary,
  ImagePruneResponse,
  ImageSummary,
} from './types/image.ts'
export type {
  IpamPool,
  NetworkContainer,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworkInspect,
  NetworkPruneResponse,
  NetworkSummary,
} from './types/network.ts'
export type { Volume, VolumeCreateRequest, VolumeListResponse, VolumePruneResponse } from './types/volume.ts'
export type { AuthConfig, AuthResponse, DistributionInspect, ImageSearchItem } from './types/registry.ts'
export type { FsckFinding, FsckLine, FsckSummary } from './types/fsck.ts'
export type { EventMessage } from './types/event.ts'
export type { CommitInfo, DiskUsageTotals, IndexInfo, SystemDiskUsage, SystemInfo, SystemVersion } from './types/system.ts'
