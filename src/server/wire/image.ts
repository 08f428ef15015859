/** Image list, inspect, history and delete results. Source: moby `daemon/server/router/image`. */

import type { ApiVersion, ImageDeleteItem, ImageHistoryItem, ImageInspect, ImageManifestSummary, ImageSummary } from '#api'
import type { DeleteResult, HistoryEntry, Image } from '#images'
import { STORAGE_DRIVER } from './container-inspect.ts'
import { ZERO_TIME } from './time.ts'

export function encodeImageSummary(
  image: Image,
  version: ApiVersion,
  counts: { containers: number; sharedSize: number; manifests?: ImageManifestSummary[] },
): ImageSummary {
  const isDangling = image.repoTags.length === 0 && image.repoDigests.length === 0
  const summary: ImageSummary = {
    Containers: version < 51 ? -1 : counts.containers,
    Created: Math.floor(Date.parse(image.config.created ?? '') / 1000) || 0,
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent,
    RepoDigests: image.repoDigests,
    RepoTags: image.repoTags,
    SharedSize: counts.sharedSize,
    Size: image.size,
  }
  if (version < 43 && isDangling) {
    summary.RepoTags = ['<none>:<none>']
    summary.RepoDigests = ['<none>@<none>']
  }
  if (version < 44) summary.VirtualSize = image.size
  if (counts.manifests !== undefined) summary.Manifests = counts.manifests
  if (version >= 48 && image.descriptor !== undefined) summary.Descriptor = image.descriptor
  return summary
}

/** Members of `Config` that older versions wrote also when empty. Source: moby `legacyConfigFields`. */
const CONFIG_BEFORE_1_52 = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
}
/** Members that belong to containers and were shown until 1.49. */
const CONFIG_BEFORE_1_50 = {
  AttachStderr: false,
  AttachStdin: false,
  AttachStdout: false,
  Domainname: '',
  Hostname: '',
  Image: '',
  OpenStdin: false,
  StdinOnce: false,
  Tty: false,
}

/** `layerPaths`: host directories of the layers, topmost first; asked for where the version shows them. */
export function encodeImageInspect(image: Image, version: ApiVersion, layerPaths: () => readonly string[]): ImageInspect {
  const { config } = image
  const text = (name: string): string => (typeof config[name] === 'string' ? config[name] : '')
  const legacy = { Parent: image.parent, Comment: text('comment'), DockerVersion: text('docker_version'), Author: config.author ?? '' }
  const comment = text('comment') || config.history?.at(-1)?.comment || ''
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    ...(version < 52 ? { ...legacy, Comment: comment } : withoutEmpty({ ...legacy, Comment: comment })),
    ...(config.created === undefined ? (version < 44 ? { Created: ZERO_TIME } : {}) : { Created: config.created }),
    ...(version < 45 ? { Container: text('container'), ContainerConfig: config['container_config'] ?? null } : {}),
    Config: encodeConfig(config.config, version),
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(text('os.version') ? { OsVersion: text('os.version') } : {}),
    Size: image.size,
    ...(version < 44 ? { VirtualSize: image.size } : {}),
    ...(version < 52 ? { GraphDriver: { Name: STORAGE_DRIVER, Data: overlayDirectories(layerPaths()) } } : {}),
    RootFS: { Type: config.rootfs.type, ...(config.rootfs.diff_ids.length > 0 ? { Layers: config.rootfs.diff_ids } : {}) },
    Metadata: { LastTagTime: image.lastTagged === 0 ? ZERO_TIME : new Date(image.lastTagged).toISOString() },
    ...(version >= 48 && image.descriptor !== undefined ? { Descriptor: image.descriptor } : {}),
  }
}

/** As Docker's overlay2 names them; its `MergedDir` and `WorkDir` exist for no image here. Source: moby `overlay2.GetMetadata`. */
function overlayDirectories([top, ...below]: readonly string[]): Record<string, string> | null {
  if (top === undefined) return null
  return { ...(below.length === 0 ? {} : { LowerDir: below.join(':') }), UpperDir: top }
}

/** Whatever else the stored config has stays. */
function encodeConfig(config: Image['config']['config'], version: ApiVersion): Record<string, unknown> {
  return {
    ...(version < 50 ? CONFIG_BEFORE_1_50 : {}),
    ...(version < 52 ? CONFIG_BEFORE_1_52 : {}),
    ...(version < 52 ? config : withoutEmpty(config ?? {})),
  }
}

function withoutEmpty<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== '' && value !== false)) as Partial<T>
}

export function encodeHistory(entry: HistoryEntry): ImageHistoryItem {
  return {
    Comment: entry.comment,
    Created: entry.created,
    CreatedBy: entry.createdBy,
    Id: entry.id,
    Size: entry.size,
    Tags: entry.tags,
  }
}

export function encodeDeleteResult(result: DeleteResult): ImageDeleteItem {
  return 'untagged' in result ? { Untagged: result.untagged } : { Deleted: result.deleted }
}
