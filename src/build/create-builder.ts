import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CdiRegistry } from '#cdi'
import type { ContentStore } from '#content'
import type { ImageService } from '#images'
import type { Files } from '#kernel'
import { hostPlatform } from '#oci'
import type { Metadata } from '#metadata'
import type { Remotes } from '#remotes'
import type { ChainId, DraftLayers, JobRunner, Snapshotter } from '#snapshots'
import type { BuildServiceDeps, BuildSettings } from './build-deps.ts'
import { createCachePlaces } from './export/cache/cache-places.ts'
import { createExporters } from './export/exporters.ts'
import { createContentDigests } from './files/content-digests.ts'
import { createDiffRunner } from './files/diff-runner.ts'
import { createFileRunner } from './files/file-runner.ts'
import { createMergeRunner } from './files/merge-runner.ts'
import { solveDockerfile } from './frontend/solve-dockerfile.ts'
import { createGateway } from './frontend/solve-gateway.ts'
import { createImageFrontend } from './frontend-image/image-frontend.ts'
import type { FrontendProtocol } from './frontend-image/types.ts'
import { createCacheMounts } from './run/cache-mounts.ts'
import { createDebugContainers } from './run/debug-container.ts'
import { createExecRunner } from './run/exec-runner.ts'
import { runnablePlatforms } from './run/platforms.ts'
import { restoreSteps } from './run/restore-steps.ts'
import type { RunDeps } from './run/types.ts'
import { createBuildService } from './service.ts'
import { createGitProgram } from './sources/git/git-program.ts'
import { createGitSource } from './sources/git/git-source.ts'
import { createKeptRepositories } from './sources/git/kept-repositories.ts'
import { createHttpSource } from './sources/http/http-source.ts'
import { createImageSources } from './sources/image/image-sources.ts'
import { createLayerBuilder } from './sources/layer-builder.ts'
import { createKeptDirectories } from './sources/local/kept-directories.ts'
import { createLocalSource } from './sources/local/local-source.ts'
import type { BuildService } from './types.ts'
import { createUploadedSessions, type UploadedSessions } from './uploaded-session.ts'

/** Where builds keep what is theirs; absolute. */
export interface BuilderPaths {
  /** Below the data root, on the file system of the layers; its directories are drawn in {@link builderDirectories}. */
  build: string
  /** Below the exec root: one directory per running step. */
  steps: string
}

export interface BuilderDeps extends Omit<RunDeps, 'cacheMounts' | 'paths' | 'snapshotter' | 'binfmt'> {
  metadata: Metadata
  content: ContentStore
  snapshotter: Snapshotter & DraftLayers
  files: Files
  jobs: JobRunner
  images: ImageService
  remotes: Pick<Remotes, 'repository'>
  devices: Pick<CdiRegistry, 'list' | 'edits'>
  settings: () => BuildSettings
  paths: BuilderPaths
  /** For git and downloads, as variables: `https_proxy` … */
  proxies: Readonly<Record<string, string>>
  /** Names this engine in provenance; empty: nothing does. */
  builderId: string
  freeSpace: () => number
  /** How frontends that are programs are spoken with. */
  frontendProtocol: () => Promise<FrontendProtocol>
  now: () => number
  report: (error: unknown) => void
}

/** The build service with all its parts. */
export interface Builder extends AsyncDisposable {
  readonly service: BuildService
  /** Sessions of clients that send everything with the request. */
  readonly uploads: UploadedSessions
  /** Layers that the cache keeps. */
  cachedChains(): Set<ChainId>
  /** Ends what steps of an earlier daemon still run. Before snapshots, networks and containers are restored. */
  restoreSteps(): Promise<void>
  /** Brings directories in line with rows. After the snapshots, before anything is collected. */
  restore(): Promise<void>
}

/**
 * ```
 * <build>/cache-mounts/<id>/   of RUN --mount=type=cache
 *        /contexts/<key>/      directories that clients have sent, for the next time
 *        /history/<digest>     logs and provenance of builds, of `buildkit`
 *        /repositories/<key>/  bare Git repositories
 *        /stubs/<id>/          mount points of running steps
 *        /uploads/             archives of clients of the classic builder, unpacked
 * ```
 */
function builderDirectories(build: string): Record<'cacheMounts' | 'contexts' | 'repositories' | 'stubs' | 'uploads', string> {
  return {
    cacheMounts: join(build, 'cache-mounts'),
    contexts: join(build, 'contexts'),
    repositories: join(build, 'repositories'),
    stubs: join(build, 'stubs'),
    uploads: join(build, 'uploads'),
  }
}

/** Makes the parts of builds and puts them together. Nothing is done before `restoreSteps`. */
export function createBuilder(deps: BuilderDeps): Builder {
  const { metadata, content, snapshotter, files, jobs, images, report, now } = deps
  const directories = builderDirectories(deps.paths.build)
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const cacheMounts = createCacheMounts({
    directory: directories.cacheMounts,
    repository: metadata.repository('cacheMounts'),
    snapshotter,
    files,
    jobs,
    report,
  })
  const run: RunDeps = { ...deps, cacheMounts, paths: { ...directories, steps: deps.paths.steps } }
  const contexts = createKeptDirectories({ directory: directories.contexts, files, jobs, bootId, report, now })
  const git = createGitProgram({ proxies: deps.proxies })
  const repositories = createKeptRepositories({ directory: directories.repositories, git, jobs, report, now })
  const uploads = createUploadedSessions({ directory: directories.uploads, files, jobs, owner: { uid: 0, gid: 0 }, report })
  const layers = createLayerBuilder({ snapshotter, files, jobs })
  const imageSources = createImageSources({ images, content })
  const exporting = { content, snapshotter, images, remotes: deps.remotes, files, builderId: deps.builderId }

  const parts: BuildServiceDeps = {
    metadata,
    content,
    snapshotter,
    files,
    settings: deps.settings,
    devices: deps.devices,
    hostPlatform: hostPlatform(),
    platforms: () => runnablePlatforms(),
    frontends: { 'dockerfile.v0': solveDockerfile, 'gateway.v0': createGateway(createImageFrontend(deps.frontendProtocol)) },
    sources: {
      image: imageSources.image,
      layout: imageSources.layout,
      local: createLocalSource({ directories: contexts }),
      git: createGitSource({ git, repositories, layers, files, jobs }),
      http: createHttpSource({ content, layers, files, proxies: deps.proxies }),
    },
    resolveImage: (request, step) => imageSources.resolveImage(request, step),
    runners: {
      exec: createExecRunner(run),
      file: createFileRunner({ snapshotter, files, jobs }),
      merge: createMergeRunner({ snapshotter, files, jobs }),
      diff: createDiffRunner({ snapshotter, files, jobs }),
    },
    digests: createContentDigests({ snapshotter, files, jobs }),
    cacheMounts,
    exporters: createExporters(exporting),
    caches: createCachePlaces({ ...exporting, proxies: deps.proxies }),
    openContainer: createDebugContainers(run),
    stores: [cacheMounts, contexts, repositories],
    imageLayers: () => images.layers(),
    freeSpace: deps.freeSpace,
    starting: () => jobs.warmUp?.(), // the client's directories come next, and a worker compares them
    released: () => images.collect(),
    report,
    now,
  }
  const service = createBuildService(parts)
  return {
    service,
    uploads,
    cachedChains: () => service.cachedChains(),
    restoreSteps: () => restoreSteps(run),
    async restore() {
      contexts.restore()
      repositories.restore()
      uploads.restore()
      service.restore()
      await cacheMounts.restore()
    },
    async [Symbol.asyncDispose]() {
      await service.close()
      imageSources[Symbol.dispose]()
      await Promise.all([contexts.settled(), repositories.settled(), uploads.settled(), cacheMounts.settled()])
    },
  }
}
