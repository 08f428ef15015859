import { finished } from 'node:stream/promises'
import type { Duplex } from 'node:stream'
import { createClassicBuilder, vertex, type Builder, type ClassicBuilder, type FrontendProtocol } from '#build'
import type { BuildkitDoor, BuildkitDoorDeps, WorkerFacts } from '#buildkit'
import type { ContentStore } from '#content'
import { hostPlatform } from '#oci'
import type { BuildkitBackend } from '#server'

export interface BuildDoorsDeps {
  builder: Builder
  content: ContentStore
  worker: WorkerFacts
  history: BuildkitDoorDeps['history']
}

/** The two ways to the one builder. */
export interface BuildDoors extends Disposable {
  readonly classic: ClassicBuilder
  readonly buildkit: BuildkitBackend
  frontendProtocol(): Promise<FrontendProtocol>
}

/** BuildKit's door is loaded by the first client that wants it: gRPC costs a start of the daemon more than all else. */
export function createBuildDoors({ builder, content, worker, history }: BuildDoorsDeps): BuildDoors {
  let loading: Promise<BuildkitDoor> | undefined
  let loaded: BuildkitDoor | undefined
  const door = (): Promise<BuildkitDoor> => (loading ??= load())

  async function load(): Promise<BuildkitDoor> {
    const { createBuildkitDoor } = await import('#buildkit')
    loaded = createBuildkitDoor({ builds: builder.service, content, makeVertex: vertex, platform: hostPlatform(), worker, history })
    return loaded
  }

  return {
    classic: createClassicBuilder({
      builds: builder.service,
      upload: (archive, options) => builder.uploads.open(archive, options),
      session: async (id, signal) => (await door()).session(id, signal),
      encodeTrace: async (events) => (await door()).encodeTrace(events),
    }),
    buildkit: {
      async serve(accept) {
        const buildkit = await door()
        const socket = accept()
        buildkit.serve(socket)
        await closed(socket)
      },
      async openSession(accept, hello) {
        const buildkit = await door()
        let socket: Duplex | undefined
        buildkit.openSession(() => (socket = accept()), hello)
        if (socket !== undefined) await closed(socket)
      },
    },
    frontendProtocol: async () => (await door()).frontendProtocol,
    [Symbol.dispose]: () => loaded?.close(),
  }
}

/** However it ends: both sides may go at any moment. */
async function closed(socket: Duplex): Promise<void> {
  await finished(socket).catch(() => {})
}
