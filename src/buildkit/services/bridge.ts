import type { Edge, ImageRequest, ResolvedImage } from '#build'
import { invalidArgument, notFound, notImplemented } from '#errors'
import { fromStatus, gateway, toBinary, type MessageInitShape, type ops, type ServiceImpl } from '#grpc'
import { parseDigest } from '#oci'
import { fromResult, toResult } from '../build-result.ts'
import { DEFINITION_CAPS, FRONTEND_CAPS } from '../capabilities.ts'
import type { ClientBuild } from '../client-build.ts'
import { decodePlatform } from '../llb/decode-definition.ts'
import { toStat } from '../session/file-stat.ts'
import { workerRecord } from '../worker-record.ts'
import { edgeOf, edgesOf, refusePolicies, type FindBuild, type ServiceContext } from './context.ts'
import { debugMethods } from './debug.ts'

/** A build driven by its client, or by a frontend that is a program. Source: moby/buildkit frontend/gateway/gateway.go, control/gateway/gateway.go. */
export function bridgeService(context: ServiceContext, buildOf: FindBuild): ServiceImpl<typeof gateway.LLBBridge> {
  const { builds, refs, worker, platform: host } = context

  return {
    ...debugMethods(context, buildOf),

    async ping(_, call) {
      await buildOf(call)
      return { frontendCaps: FRONTEND_CAPS, llbCaps: DEFINITION_CAPS, workers: [workerRecord(worker, builds)] }
    },

    async solve(request, call) {
      const client = await buildOf(call)
      client.keep(toBinary(gateway.SolveRequestSchema, request).length)
      refusePolicies(request.sourcePolicies)
      const { frontend, frontendOpt: options, evaluate, definition } = request
      const edge = definition === undefined ? undefined : edgeOf(context, definition, client.session)
      const inputs = edgesOf(context, request.frontendInputs, client.session)
      const solving = client.build.solve({ frontend, options, inputs, ...(edge !== undefined && { definition: edge }), evaluate })
      const result = await client.rememberFailure(solving)
      client.throwIfOver()
      const told = toResult(result, client, refs)
      return request.allowResultReturn ? { result: forClient(told, request.allowResultArrayRef) } : { ref: singleRef(told) }
    },

    async return({ result, error }, call) {
      const client = await buildOf(call)
      if (error !== undefined && result === undefined) client.return(fromStatus(error))
      else if (error === undefined && result !== undefined) client.return(fromResult(result, client, refs, host))
      else throw invalidArgument('gateway return must be either result or err')
      return {}
    },

    async evaluate({ ref }, call) {
      const client = await buildOf(call)
      const edge = refs.find(ref)
      if (edge !== undefined) await client.rememberFailure(client.build.evaluate(edge))
      return {}
    },

    async readFile({ ref, filePath, range }, call) {
      const { build } = await buildOf(call)
      const part = range === undefined ? undefined : { offset: Number(range.offset), length: Number(range.length) }
      return { data: await build.readFile(someEdge(ref, filePath), filePath, part) }
    },

    async readDir({ ref, dirPath, includePattern }, call) {
      const { build } = await buildOf(call)
      return { entries: (await build.readDirectory(someEdge(ref, dirPath), dirPath, includePattern)).map(toStat) }
    },

    async statFile({ ref, path }, call) {
      const { build } = await buildOf(call)
      return { stat: toStat(await build.statFile(someEdge(ref, path), path)) }
    },

    async warn(request, call) {
      const client = await buildOf(call)
      client.keep(toBinary(gateway.WarnRequestSchema, request).length)
      client.build.warn(warningOf(request))
      return {}
    },

    async inputs(_, call) {
      const { inputs } = await buildOf(call)
      return { definitions: { ...inputs } }
    },

    async resolveImageConfig(request, call) {
      const client = await buildOf(call)
      refusePolicies(request.sourcePolicies)
      const isLayout = request.resolverType === LAYOUT
      const image = await resolve(client, request.ref, request, { isLayout, store: request.storeId, session: request.sessionId })
      return { digest: manifestDigest(image), config: configBytes(image), ref: image.reference }
    },

    async resolveSourceMeta(request, call) {
      const client = await buildOf(call)
      refusePolicies(request.sourcePolicies)
      const { source } = request
      if (source === undefined) throw invalidArgument('no source to resolve')
      const [scheme, name] = splitScheme(source.identifier)
      // Of other sources there is nothing to know before they are fetched.
      if (scheme !== 'docker-image' && scheme !== 'oci-layout') return { source }
      const { 'oci.store': store = '', 'oci.session': session = '' } = source.attrs
      const image = await resolve(client, name, request, { isLayout: scheme === 'oci-layout', store, session })
      return {
        source: { identifier: `${scheme}://${image.reference}`, attrs: source.attrs },
        image: { digest: manifestDigest(image), config: configBytes(image) },
      }
    },
  }

  function someEdge(ref: string, path: string): Edge {
    const edge = refs.find(ref)
    if (edge === undefined) throw notFound(`lstat ${path}: no such file or directory`)
    return edge
  }

  function resolve(
    client: ClientBuild,
    reference: string,
    { platform, resolveMode, logName }: { platform?: ops.Platform | undefined; resolveMode: string; logName: string },
    layout: { isLayout: boolean; store: string; session: string },
  ): Promise<ResolvedImage> {
    const request: ImageRequest = {
      reference,
      platform: platform === undefined ? host : decodePlatform(platform),
      resolveMode: resolveMode === 'pull' ? 'pull' : 'local',
      name: logName === '' ? `[internal] load metadata for ${reference}` : logName,
      ...(layout.isLayout && { layout: layout.store }),
      ...(layout.isLayout && layout.session !== '' && { session: layout.session }),
    }
    return client.build.resolveImage(request)
  }
}

/** Of `ResolveImageConfigRequest.resolver_type`. */
const LAYOUT = 1

type ResultInit = MessageInitShape<typeof gateway.ResultSchema>

/** Older clients know references as bare ids. */
function forClient(told: ResultInit, knowsRefs: boolean): ResultInit {
  const { result, metadata = {} } = told
  if (knowsRefs || result === undefined) return told
  if (result.case === 'ref') return { result: { case: 'refDeprecated', value: result.value.id ?? '' }, metadata }
  if (result.case !== 'refs') return told
  const refs = Object.fromEntries(Object.entries(result.value.refs ?? {}).map(([id, ref]) => [id, ref.id ?? '']))
  return { result: { case: 'refsDeprecated', value: { refs } }, metadata }
}

/** The oldest clients know one reference and nothing else. */
function singleRef({ result }: ResultInit): string {
  if (result?.case === 'refs') throw notImplemented('results of several platforms for a client that knows one only')
  return result?.case === 'ref' ? (result.value.id ?? '') : ''
}

function warningOf({ digest, level, short, detail, url, info, ranges }: gateway.WarnRequest): Parameters<ClientBuild['build']['warn']>[0] {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
  const start = ranges[0]?.start?.line
  const end = ranges[0]?.end?.line ?? start
  const file = info === undefined ? undefined : { name: info.filename, text: text(info.data) }
  return {
    vertex: parseDigest(digest),
    level: Number(level),
    short: text(short),
    detail: detail.map(text),
    url,
    ...(file !== undefined && start !== undefined && end !== undefined && { source: { file, start, end } }),
  }
}

/** Empty for an image that was made here: it has no manifest by which a definition could name it. Source: moby builder-next/adapters/containerimage/pull.go. */
function manifestDigest({ digest, chain }: ResolvedImage): string {
  return chain === undefined ? digest : ''
}

function configBytes({ config }: ResolvedImage): Uint8Array {
  return Buffer.from(JSON.stringify(config))
}

function splitScheme(identifier: string): [string, string] {
  const index = identifier.indexOf('://')
  return index === -1 ? ['', identifier] : [identifier.slice(0, index), identifier.slice(index + 3)]
}
