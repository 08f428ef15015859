import { conflict, EngineError, forbidden, notFound } from '#errors'
import { Semaphore } from '#lib'
import { createBuild } from './build-run.ts'
import type { BuildServiceDeps } from './build-deps.ts'
import { createBuildCache } from './cache/build-cache.ts'
import { isAutoAllowed } from './devices/allow-devices.ts'
import { deviceGrants } from './devices/device-grants.ts'
import { createCacheUsage } from './cache/cache-usage.ts'
import { Journals } from './journals.ts'
import { RunningSteps } from './solver/running-steps.ts'
import type { Solved, SolverDeps } from './solver/solver.ts'
import type { Build, BuildOptions, BuildService } from './types.ts'
import type { ChainId } from '#snapshots'

/** Milliseconds after a build until the cache is collected: builds often come in a row. */
const COLLECTION_DELAY = 5000

/** A {@link BuildService} that also tells the images' collector what it needs. */
export interface OwnedBuildService extends BuildService {
  /** Layers that results in the cache consist of. */
  cachedChains(): Set<ChainId>
  /** Forgets results whose layers are gone. When the layers are restored. */
  restore(): void
}

export function createBuildService(deps: BuildServiceDeps): OwnedBuildService {
  const cache = createBuildCache(deps)
  const usage = createCacheUsage({ ...deps, cache })
  const running = new RunningSteps<Solved>({ now: deps.now, abandoned: deps.released })
  const solver: SolverDeps = {
    cache,
    content: deps.content,
    sources: deps.sources,
    runners: deps.runners,
    digests: deps.digests,
    cacheMounts: deps.cacheMounts,
    running,
    devices: deps.devices,
    places: new Semaphore(() => deps.settings().maxRunSteps),
  }
  const builds = new Map<string, Build>()
  const journals = new Journals()
  let collection: NodeJS.Timeout | undefined
  let closed = false

  function ended(id: string): void {
    builds.delete(id)
    journals.ended(id)
    // What steps have made and no record names is held by no lease any more.
    deps.released()
    if (closed) return
    clearTimeout(collection)
    collection = setTimeout(() => usage.collect(deps.settings().collectionRules), COLLECTION_DELAY).unref()
  }

  function checkGrants({ entitlements }: BuildOptions): void {
    const allowed = deps.settings().entitlements
    for (const entitlement of entitlements) {
      const kind = entitlement.startsWith('device=') ? 'device' : entitlement
      if (!allowed.has(kind)) throw forbidden(`granting entitlement ${kind} is not allowed by build daemon configuration`)
    }
    deviceGrants(entitlements)
  }

  return {
    start(options) {
      const { id } = options
      if (closed) throw new EngineError('UNAVAILABLE', 'the daemon is shutting down')
      if (builds.has(id)) throw conflict(`build ${id} is already running`)
      checkGrants(options)
      deps.starting?.()
      const build = createBuild({ service: deps, solver, journal: journals.begin(id), ended: () => ended(id) }, options)
      builds.set(id, build)
      return build
    },
    get(id) {
      const build = builds.get(id)
      if (build === undefined) throw notFound(`no such build: ${id}`)
      return build
    },
    cancel: (id) => void builds.get(id)?.end(),
    events: (id, signal) => journals.read(id, signal),
    diskUsage: (filters = {}) => usage.list(filters),
    prune: (options) => usage.prune(options),
    get collectionRules() {
      return deps.settings().collectionRules
    },
    platforms: () => deps.platforms(),
    async devices() {
      const devices = await deps.devices.list()
      return devices.map((device) => ({ ...device, autoAllow: isAutoAllowed(device) }))
    },
    cachedChains: () => cache.chains(),
    restore: () => cache.restore(),
    async close() {
      closed = true
      clearTimeout(collection)
      await Promise.all([...builds.values()].map((build) => build.end()))
      await running.settled()
      await usage.settled()
      journals.close()
    },
  }
}
