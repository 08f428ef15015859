import type { Vertex } from '../graph/types.ts'
import type { BuildEvent } from '../progress.ts'
import type { OwnedBuildService } from '../service.ts'
import { fakeSession } from '../sources/testing/fake-step.ts'
import type { Build, BuildOptions } from '../types.ts'
import { edge, type FakeParts } from './fake-parts.ts'

let count = 0

/** A build with an id of its own. */
export function start(service: OwnedBuildService, options: Partial<BuildOptions> = {}): Build {
  return service.start({ id: `build-${count++}`, session: fakeSession(), entitlements: new Set(), cacheImports: [], ...options })
}

/** Builds one file system in a build of its own: what it holds. */
export async function build(parts: FakeParts, service: OwnedBuildService, target: Vertex): Promise<string> {
  const own = start(service)
  const ref = await own.evaluate(edge(target))
  await own.end()
  return parts.contentOf(ref)
}

/** Programs that end only when all of them run. Each leaves `met`. */
export function letMeet({ programs }: FakeParts, ...names: readonly string[]): void {
  const all = Promise.withResolvers<void>()
  let running = 0
  const meet = async (): Promise<string> => {
    if (++running === names.length) all.resolve()
    await all.promise
    return 'met'
  }
  for (const name of names) programs.set(name, meet)
}

/** All events of a build, when it has ended. */
export async function eventsOf(service: OwnedBuildService, id: string): Promise<BuildEvent[]> {
  return (await Array.fromAsync(service.events(id, new AbortController().signal))).flat()
}
