import type { Duplex } from 'node:stream'
import type { BuildEvent, BuildSession } from '#build'
import type { BuildkitDoor, BuildkitDoorDeps } from '#buildkit'
import type { BuildkitBackend } from '#server'

/** BuildKit's services, made with the first connection that wants them: what they load costs as much as all the rest of a start. */
export interface LateBuildkit extends BuildkitBackend {
  /** A session that is there, or comes soon. Throws NOT_FOUND. */
  session(id: string, signal: AbortSignal): Promise<BuildSession>
  /** Events as BuildKit's encoded StatusResponse. */
  encodeTrace(events: readonly BuildEvent[]): Promise<Uint8Array>
  /** Cuts all connections. */
  close(): void
}

export function createLateBuildkit(deps: BuildkitDoorDeps): LateBuildkit {
  let loading: Promise<BuildkitDoor> | undefined
  let opened: BuildkitDoor | undefined
  const door = (): Promise<BuildkitDoor> => (loading ??= load())

  async function load(): Promise<BuildkitDoor> {
    const { createBuildkitDoor } = await import('#buildkit')
    return (opened = createBuildkitDoor(deps))
  }

  return {
    async serve(accept) {
      const opening = await door()
      const socket = accept()
      const closed = closing(socket)
      opening.serve(socket)
      await closed
    },

    async openSession(accept, hello) {
      const opening = await door()
      let closed: Promise<void> | undefined
      opening.openSession(() => {
        const socket = accept()
        closed = closing(socket)
        return socket
      }, hello)
      await closed
    },

    async session(id, signal) {
      return await (await door()).session(id, signal)
    },

    async encodeTrace(events) {
      return (await door()).encodeTrace(events)
    },

    close: () => opened?.close(),
  }
}

/** However it ends. */
function closing(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
  })
}
