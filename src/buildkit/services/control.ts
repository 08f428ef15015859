import type { Build, BuildResult, CacheLocation, CacheRecordInfo, Entitlement, ExportRequest } from '#build'
import { codeOf, invalidArgument, notImplemented } from '#errors'
import type { control, HandlerContext, MessageInitShape, ServiceImpl } from '#grpc'
import { formatPlatform, type Platform } from '#oci'
import { parseCacheFilters } from '../cache-filters.ts'
import { ClientBuild } from '../client-build.ts'
import type { FinishedBuild } from '../history/completion.ts'
import { sourcePolicy } from '../policies/source-policy.ts'
import { noSession } from '../sessions.ts'
import { statusResponses, timestamp } from '../status-response.ts'
import { buildkitVersion, workerRecord } from '../worker-record.ts'
import { edgeOf, edgesOf, type ServiceContext } from './context.ts'
import { tunnelSession } from './tunnel-session.ts'

const NANOSECONDS = 1_000_000n
/** Source: moby/buildkit control/control.go. */
const CURRENT_TIME = 'buildkit-current-timestamp'

/** Builds as a whole. Source: moby/buildkit control/control.go. */
export function controlService(context: ServiceContext): ServiceImpl<typeof control.Control> {
  const { builds, history, refused, sessions, worker } = context
  return {
    listWorkers: async () => ({ record: [workerRecord(worker, builds, await builds.devices())] }),

    info: () => ({ buildkitVersion: buildkitVersion(worker.version, worker.revision) }),

    async solve(request, call) {
      if (request.sourcePolicySession !== '')
        throw notImplemented('source policies that the client judges by itself are not implemented in Gantry')
      if (request.enableSessionExporter) throw notImplemented('exporters that the client chooses at the end are not implemented in Gantry')
      const { exporterResponse } = await solve(context, request, call)
      return { exporterResponse }
    },

    async *status({ ref }, { signal }) {
      const log = history.log(ref)
      if (log !== undefined) return void (yield* log)
      using refusal = refused.watch(ref)
      try {
        for await (const events of builds.events(ref, AbortSignal.any([signal, refusal.signal]))) yield* statusResponses(events)
      } catch (error) {
        if (!refusal.signal.aborted) throw error
      }
    },

    session: (messages, call) => tunnelSession(sessions, messages, call),

    async diskUsage({ filter }) {
      return { record: (await builds.diskUsage(parseCacheFilters(filter))).map(usageRecord) }
    },

    async *prune(request, { signal }) {
      const deleted = await builds.prune({
        all: request.all,
        keepDuration: Number(request.keepDuration / NANOSECONDS),
        reservedSpace: Number(request.reservedSpace),
        maxUsedSpace: Number(request.maxUsedSpace),
        minFreeSpace: Number(request.minFreeSpace),
        filters: parseCacheFilters(request.filter),
        signal,
      })
      for (const record of deleted) yield usageRecord(record)
    },

    listenBuildHistory(request, { signal, responseHeader }) {
      // By it a client tells how long builds have been running.
      responseHeader.set(CURRENT_TIME, new Date().toISOString())
      return history.listen(request, signal)
    },

    updateBuildHistory(request) {
      history.update(request)
      return {}
    },
  }
}

async function solve(context: ServiceContext, request: control.SolveRequest, call: HandlerContext): Promise<FinishedBuild> {
  const build = await start(context, request, call)
  return await context.history.record(request, () => carryOut(context, request, build))
}

async function carryOut(context: ServiceContext, request: control.SolveRequest, build: Build): Promise<FinishedBuild> {
  const { clientBuilds, refs } = context
  const { ref, cache } = request
  await using client = new ClientBuild(build, request.session, request.frontendInputs)
  clientBuilds.set(ref, client)
  try {
    const result = await driven(context, request, client)
    const exporterResponse = await build.finish(result, exportRequests(request), cacheLocations(cache?.exports, exportRef(cache)))
    return { exporterResponse, provenance: () => build.provenance() }
  } catch (error) {
    await build.end()
    throw error
  } finally {
    clientBuilds.delete(ref)
    refs.retire(client.given.map((given) => given.ref))
  }
}

/**
 * Throws what is wrong with the request; then whoever waits for news of the build hears that there will be none, unless it runs and it is another one of its name
 * that was refused.
 */
async function start(
  { builds, sessions, refused, platform }: ServiceContext,
  request: control.SolveRequest,
  call: HandlerContext,
): Promise<Build> {
  const { ref, cache } = request
  try {
    const policy = sourcePolicy(request.sourcePolicy, platform)
    const build = builds.start({
      id: ref,
      session: request.session === '' ? noSession() : await sessions.wait(request.session, call.signal),
      sessionOf: (id) => sessions.get(id),
      entitlements: entitlements(request.entitlements),
      cacheImports: cacheLocations(cache?.imports, cache?.importRefs),
      ...(policy !== undefined && { sourcePolicy: policy }),
      signal: call.signal,
    })
    refused.delete(ref)
    return build
  } catch (error) {
    if (codeOf(error) !== 'CONFLICT') refused.add(ref)
    throw error
  }
}

/** With a frontend or a definition the build runs by itself; else the client runs it, by LLBBridge. */
function driven(context: ServiceContext, request: control.SolveRequest, client: ClientBuild): ReturnType<ClientBuild['result']> {
  const { frontend, frontendAttrs: options, definition, frontendInputs, session } = request
  if (frontend === '' && definition === undefined) return client.result()
  const edge = definition === undefined ? undefined : edgeOf(context, definition, session)
  if (frontend === '' && edge === undefined) return Promise.resolve(emptyResult(context.platform))
  const inputs = edgesOf(context, frontendInputs, session)
  return client.build.solve({ frontend, options, inputs, ...(edge !== undefined && { definition: edge }), evaluate: false })
}

/** There is nothing to solve in an empty file system, and it is exported all the same. */
function emptyResult(platform: Platform): BuildResult {
  return { images: [{ id: formatPlatform(platform), platform, edge: undefined }], multiPlatform: false, metadata: {} }
}

/** Throws INVALID_ARGUMENT. Devices may be named: `device=vendor.com/gpu`. */
function entitlements(names: readonly string[]): Set<Entitlement> {
  const unknown = names.find((name) => !isEntitlement(name))
  if (unknown !== undefined) throw invalidArgument(`unknown entitlement ${unknown}`)
  return new Set(names.filter(isEntitlement))
}

function isEntitlement(name: string): name is Entitlement {
  return ['network.host', 'security.insecure', 'device'].includes(name) || name.startsWith('device=')
}

/** The id of an exporter is its place in the list: by it files go to the right target of the client. */
function exportRequests({ exporters, exporter, exporterAttrs }: control.SolveRequest): ExportRequest[] {
  if (exporters.length > 0) return exporters.map(({ type, attrs }, index) => ({ type, attributes: attrs, id: String(index) }))
  return exporter === '' ? [] : [{ type: exporter, attributes: exporterAttrs, id: '' }]
}

/** `refs`: of clients that know registries only. */
function cacheLocations(entries: readonly control.CacheOptionsEntry[] = [], refs: readonly string[] = []): CacheLocation[] {
  return [
    ...entries.map(({ type, attrs }) => ({ type, attributes: attrs })),
    ...refs.map((ref) => ({ type: 'registry', attributes: { ref } })),
  ]
}

function exportRef(cache: control.CacheOptions | undefined): string[] {
  return cache === undefined || cache.exportRef === '' ? [] : [cache.exportRef]
}

function usageRecord(record: CacheRecordInfo): MessageInitShape<typeof control.UsageRecordSchema> {
  const { id, mutable, inUse, size, parents, createdAt, lastUsedAt, usageCount, description, type, shared } = record
  return {
    id,
    mutable,
    inUse,
    size: BigInt(size),
    parent: parents.length === 1 ? (parents[0] ?? '') : '',
    parents: [...parents],
    createdAt: timestamp(createdAt),
    ...(lastUsedAt !== undefined && { lastUsedAt: timestamp(lastUsedAt) }),
    usageCount: BigInt(usageCount),
    description,
    recordType: type,
    shared,
  }
}
