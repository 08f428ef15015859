import type { BuildService, Edge, vertex } from '#build'
import { invalidArgument, notImplemented } from '#errors'
import { metadataOf, type HandlerContext, type ops, type policy } from '#grpc'
import type { Rendezvous } from '#lib'
import type { Platform } from '#oci'
import type { BuildHistory } from '../history/build-history.ts'
import type { ClientBuild } from '../client-build.ts'
import { decodeDefinition } from '../llb/decode-definition.ts'
import { REF_SCHEME, type ResultRefs } from '../llb/result-refs.ts'
import type { RefusedBuilds } from '../refused-builds.ts'
import type { Sessions } from '../sessions.ts'
import type { WorkerFacts } from '../worker-record.ts'

/** What the services share. */
export interface ServiceContext {
  builds: BuildService
  sessions: Sessions
  clientBuilds: Rendezvous<ClientBuild>
  refs: ResultRefs
  history: BuildHistory
  refused: RefusedBuilds
  worker: WorkerFacts
  makeVertex: typeof vertex
  platform: Platform
}

/** Which build a call is about. */
export type FindBuild = (call: HandlerContext) => Promise<ClientBuild>

/** The build that a client's call of LLBBridge is about. Throws NOT_FOUND when it does not begin soon. */
export async function clientBuildOf({ clientBuilds, refused }: ServiceContext, call: HandlerContext): Promise<ClientBuild> {
  const id = metadataOf(call).get('buildkit-controlapi-buildid')?.[0]
  if (id === undefined) throw invalidArgument('no buildid found in context')
  using refusal = refused.watch(id)
  return await clientBuilds.wait(id, AbortSignal.any([call.signal, refusal.signal]))
}

/** A definition of a client of `session`; undefined: an empty file system. */
export function edgeOf(context: ServiceContext, definition: ops.Definition, session: string): Edge | undefined {
  const { makeVertex, platform, refs } = context
  const resolveRef = (identifier: string): Edge | undefined => refs.resolve(identifier, session)
  return decodeDefinition(definition, { makeVertex, platform, refScheme: REF_SCHEME, resolveRef })
}

/** Inputs by name; empty ones are left out. */
export function edgesOf(
  context: ServiceContext,
  definitions: Readonly<Record<string, ops.Definition>>,
  session: string,
): Record<string, Edge> {
  const edges = Object.entries(definitions).map(([name, definition]) => [name, edgeOf(context, definition, session)] as const)
  return Object.fromEntries(edges.filter((entry): entry is readonly [string, Edge] => entry[1] !== undefined))
}

/** Of single calls: those of a build are obeyed. Throws NOT_IMPLEMENTED, as a policy that is not obeyed would be worse than none. */
export function refusePolicies(policies: readonly (policy.Policy | undefined)[]): void {
  if (policies.some((given) => (given?.rules.length ?? 0) > 0)) throw notImplemented('source policies are not implemented in Gantry')
}
