/** `POST /build`: the classic builder's request, and its later form `version=2`, which goes with a BuildKit session. */

import type { ClassicBuilder, ClassicRequest, ExportRequest } from '#build'
import { invalidArgument } from '#errors'
import { announcesBody } from '../decode/json-body.ts'
import { buildQuery, type BuildQuery } from '../decode/build-options.ts'
import { registryConfig } from '../decode/registry-auth.ts'
import { messageOf } from '../http-status.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { encodeMessage } from '../wire/progress-message.ts'

/** `remote` of a request whose context the session has. */
const CLIENT_SESSION = 'client-session'

export function buildRoutes(deps: { classicBuilder: ClassicBuilder }): Route[] {
  return [
    {
      method: 'POST',
      path: '/build',
      summary: 'Build an image',
      async handle(context) {
        const version = context.query.text('version')
        if (version === '2') return await buildWithSession(deps.classicBuilder, context)
        if (version !== '' && version !== '1') throw invalidArgument(`invalid version ${version}`)
        await build(deps.classicBuilder, context)
      },
    },
  ]
}

async function build(builder: ClassicBuilder, context: RequestContext): Promise<void> {
  const query = buildQuery(context.query)
  if (query.remote === CLIENT_SESSION)
    throw invalidArgument('experimental session with v1 builder is no longer supported, use builder version v2 (BuildKit) instead')
  if (context.query.text('outputs') !== '') throw invalidArgument('outputs are for builds with version=2')
  await streamBuild(context, (report) => builder.build(commonRequest(context, query, report)))
}

async function buildWithSession(builder: ClassicBuilder, context: RequestContext): Promise<void> {
  const query = buildQuery(context.query)
  const session = context.query.text('session')
  await streamBuild(context, (report) =>
    builder.buildWithSession({ ...commonRequest(context, query, report), session, exports: outputs(context.query.text('outputs')) }),
  )
}

function commonRequest(
  context: RequestContext,
  { options, names, quiet, remote, buildId, cacheImports }: BuildQuery,
  report: (message: unknown) => void,
): ClassicRequest {
  const { request, signal } = context
  // Of a context elsewhere the body is nothing; curl sends none at all.
  const hasArchive = remote === '' && announcesBody(request.headers)
  if (remote === '' && !hasArchive) throw invalidArgument('the build context is missing: neither a body nor remote was given')
  return {
    id: buildId,
    archive: hasArchive ? context.body : undefined,
    options: remote === '' || remote === CLIENT_SESSION ? options : { ...options, context: remote },
    names,
    quiet,
    cacheImports,
    credentials: registryConfig(request.headers),
    signal,
    report: (message) => report(encodeMessage(message)),
  }
}

/** As `streamProgress`; a failed command adds its exit code, with which the docker CLI ends. */
function streamBuild(context: RequestContext, run: (report: (message: unknown) => void) => Promise<void>): Promise<void> {
  return context.streamProgress(async (report) => {
    try {
      await run(report)
    } catch (error) {
      const code = exitCodeOf(error)
      if (code === undefined) throw error
      report({ errorDetail: { code, message: messageOf(error) }, error: messageOf(error) })
    }
  })
}

function exitCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('exitCode' in error)) return undefined
  return typeof error.exitCode === 'number' ? error.exitCode : undefined
}

/** `[{"Type":"moby","Attrs":{"name":"app"}}]`. */
function outputs(text: string): ExportRequest[] {
  if (text === '') return []
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    throw invalidArgument(`invalid outputs specified: ${messageOf(error)}`, error)
  }
  if (!Array.isArray(list)) throw invalidArgument('invalid outputs specified: not a list')
  return list.map((entry: unknown) => {
    const { Type, Attrs } = (entry ?? {}) as { Type?: unknown; Attrs?: unknown }
    const attributes = Attrs ?? {}
    if (typeof Type !== 'string' || typeof attributes !== 'object' || Object.values(attributes).some((value) => typeof value !== 'string'))
      throw invalidArgument('invalid outputs specified: an entry has no type, or attributes that are no strings')
    return { type: Type, attributes: attributes as Record<string, string>, id: '' }
  })
}
