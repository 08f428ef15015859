import type { Build, BuildEvent, BuildOptions, BuildResult, BuildService, ExportRequest, ImageProvenance } from '#build'
import { EngineError, notFound } from '#errors'

type FrontendRequest = Parameters<Build['solve']>[0]

/** What the doors have asked of a build. */
export interface FakeBuild {
  options: BuildOptions
  solved: FrontendRequest[]
  finished: { result: BuildResult; exports: readonly ExportRequest[] }[]
  /** How often it was ended. */
  ended: number
}

export interface FakeBuilds {
  service: BuildService
  builds: FakeBuild[]
}

/** Builds whose frontend gives `solve`'s result, and whose exporters answer `answer`. */
export function fakeBuilds(
  behaviour: {
    solve?: (request: FrontendRequest) => BuildResult
    answer?: Record<string, string>
    provenance?: ImageProvenance[]
    openContainer?: Build['openContainer']
    refuse?: string
    events?: readonly BuildEvent[]
    service?: Partial<BuildService>
  } = {},
): FakeBuilds {
  const builds: FakeBuild[] = []
  const unused = (): never => {
    throw new EngineError('INTERNAL', 'not expected by this test')
  }
  const service: BuildService = {
    start(options) {
      if (behaviour.refuse !== undefined) throw new EngineError('FORBIDDEN', behaviour.refuse)
      const fake: FakeBuild = { options, solved: [], finished: [], ended: 0 }
      builds.push(fake)
      const build: Build = {
        id: options.id,
        signal: options.signal ?? new AbortController().signal,
        async solve(request) {
          fake.solved.push(request)
          return (behaviour.solve ?? unused)(request)
        },
        evaluate: unused,
        async readFile(_edge, path) {
          if (path !== '/etc/os-release') throw notFound(`open ${path}: no such file or directory`)
          return Buffer.from('NAME=Starter')
        },
        readDirectory: unused,
        statFile: unused,
        resolveImage: unused,
        warn: unused,
        openContainer: behaviour.openContainer ?? unused,
        async finish(result, exports) {
          fake.finished.push({ result, exports })
          return behaviour.answer ?? {}
        },
        provenance: () => behaviour.provenance ?? [],
        async end() {
          fake.ended++
        },
      }
      return build
    },
    get: unused,
    cancel: unused,
    async *events(id, signal) {
      if (behaviour.events !== undefined) return void (yield behaviour.events)
      if (builds.some(({ options, finished, ended }) => options.id === id && finished.length + ended > 0)) return
      signal.throwIfAborted()
      // As for a build that is about to start.
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    },
    diskUsage: unused,
    prune: unused,
    collectionRules: [],
    platforms: () => [{ os: 'linux', architecture: 'amd64' }],
    devices: async () => [{ name: 'v.com/c=a', annotations: { 'x.org/y': 'z' }, autoAllow: true }],
    close: unused,
    ...behaviour.service,
  }
  return { service, builds }
}
