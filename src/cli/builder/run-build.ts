import { randomUUID } from 'node:crypto'
import type { EngineClient } from '#client'
import { Code, ConnectError, metadataHeaders, toGrpcError, toStatus, type gateway } from '#grpc'
import type { BuildRequest } from './build-request.ts'
import type { BuildDisplay } from './display/display.ts'
import { connectToEngine, type EngineConnection } from './engine-connection.ts'
import type { ExporterResponse } from './result-files.ts'
import { decodeStatus } from './status-stream.ts'

/** A build under way, as somebody who wants to look into it sees it. */
export interface RunningBuild {
  readonly connection: EngineConnection
  /** Metadata that says which build a call is about. */
  readonly headers: Record<string, string>
}

export interface RunBuildOptions {
  display: BuildDisplay
  /** Interrupts: the build is stopped. */
  signal: AbortSignal
  /** A step has failed: the build waits until this is over, and then fails. Without it nothing is solved before the export. */
  onFailure?: (build: RunningBuild, error: ConnectError) => Promise<void>
}

export interface BuildAnswer {
  response: ExporterResponse
  /** What a frontend answered to a request (`result.txt`, `result.json`). */
  metadata: Readonly<Record<string, Uint8Array>>
}

/**
 * Runs a build on the engine: we are the client that drives it. The frontend is run by a call of ours, and its result handed back for export, so that there is a
 * moment between the two in which a failure can be looked into. Rejects with the engine's error, ConnectError.
 */
export async function runBuild(engine: EngineClient, request: BuildRequest, options: RunBuildOptions): Promise<BuildAnswer> {
  using connection = await connectToEngine(engine, request.resources)
  const ref = randomUUID().replaceAll('-', '')
  const signal = AbortSignal.any([options.signal, connection.closed])
  const build: RunningBuild = { connection, headers: metadataHeaders({ 'buildkit-controlapi-buildid': ref }) }
  const showing = show(connection, ref, options.display, signal)
  const solving = connection.control.solve(solveRequest(ref, connection.session, request), { signal })
  // It is awaited below; a failure before that must not go unheard of as unhandled.
  solving.catch(() => {})
  try {
    const result = await drive(build, request, options, signal)
    const { exporterResponse } = await solving
    await showing
    options.display.end(false)
    return { response: exporterResponse, metadata: result?.metadata ?? {} }
  } catch (error) {
    const failure = await rootFailure(error, solving)
    await Promise.race([showing, options.signal.aborted ? undefined : new Promise((resolve) => setTimeout(resolve, LAST_EVENTS).unref())])
    options.display.end(!options.signal.aborted)
    throw options.signal.aborted ? new ConnectError('context canceled', Code.Canceled) : failure
  }
}

/** Milliseconds to wait for the last events of a build that has failed. */
const LAST_EVENTS = 1000

function solveRequest(
  ref: string,
  session: string,
  { outputs, cacheFrom, cacheTo, entitlements, options, sourcePolicy, call }: BuildRequest,
): Parameters<EngineConnection['control']['solve']>[0] {
  return {
    ref,
    session,
    entitlements: [...entitlements],
    exporters:
      call !== undefined ? [] : outputs.filter(({ type }) => type !== 'none').map(({ type, attributes }) => ({ type, attrs: attributes })),
    cache: {
      imports: cacheFrom.map(({ type, attributes }) => ({ type, attrs: attributes })),
      exports: cacheTo.map(({ type, attributes }) => ({ type, attrs: attributes })),
    },
    frontendAttrs: options,
    ...(sourcePolicy !== undefined && { sourcePolicy }),
  }
}

async function drive(
  { connection, headers }: RunningBuild,
  request: BuildRequest,
  { onFailure }: RunBuildOptions,
  signal: AbortSignal,
): Promise<gateway.Result | undefined> {
  const { bridge } = connection
  const call = { headers, signal }
  try {
    // Waits until the engine knows the build.
    await bridge.ping({}, call)
    const { result } = await bridge.solve(
      {
        frontend: 'dockerfile.v0',
        frontendOpt: request.options,
        allowResultReturn: true,
        allowResultArrayRef: true,
        evaluate: onFailure !== undefined,
        cacheImports: request.cacheFrom.map(({ type, attributes }) => ({ type, attrs: attributes })),
      },
      call,
    )
    await bridge.return(result === undefined ? {} : { result }, call)
    return result
  } catch (error) {
    if (signal.aborted || !(error instanceof ConnectError)) throw error
    if (onFailure !== undefined) await onFailure({ connection, headers }, error)
    await bridge.return({ error: toStatus(toGrpcError(error)) }, call).catch(() => {}) // it may have ended by itself
    throw error
  }
}

/** What the engine says of the build as a whole tells more than a call that was cut off by its end. */
async function rootFailure(error: unknown, solving: Promise<unknown>): Promise<unknown> {
  if (!(error instanceof ConnectError)) return error
  // BuildKit has no code for a build that was refused, so that there is none to ask about.
  const isRefused = error.rawMessage.startsWith('no such job')
  if (!isRefused && error.code !== Code.Canceled && error.code !== Code.Unavailable) return error
  try {
    await solving
    return error
  } catch (failure) {
    return failure
  }
}

async function show({ control }: EngineConnection, ref: string, display: BuildDisplay, signal: AbortSignal): Promise<void> {
  try {
    for await (const message of control.status({ ref }, { signal })) display.update(decodeStatus(message))
  } catch {
    // The build tells what is wrong; that its display breaks off adds nothing.
  }
}
