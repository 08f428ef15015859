import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { parseDigest } from '#oci'
import type { Credentials } from '#remotes'
import type { BuildEvent } from '../progress.ts'
import type { BuildSession } from '../session.ts'
import type { Build, BuildService } from '../types.ts'
import { buildClassic } from './classic-build.ts'
import { grantedEntitlements } from './granted-entitlements.ts'
import { KnownSteps } from './known-steps.ts'
import type { ClassicBuilder, SessionRequest } from './types.ts'

/** A session that ends with the request. */
type OwnSession = BuildSession & AsyncDisposable

export interface ClassicBuilderDeps {
  builds: BuildService
  /** A session whose context is the archive. Without one: it has logins and nothing else. */
  upload(
    archive: Readable | undefined,
    options: { credentials: Readonly<Record<string, Credentials>>; signal: AbortSignal },
  ): Promise<OwnSession>
  /** Sessions that clients have opened, by id; waits a moment for one that is about to come. Throws NOT_FOUND. */
  session(id: string, signal: AbortSignal): Promise<BuildSession>
  /** Events as BuildKit's StatusResponse. */
  encodeTrace(events: readonly BuildEvent[]): Promise<Uint8Array>
}

/** {@link ClassicBuilder} over the one build service. */
export function createClassicBuilder(deps: ClassicBuilderDeps): ClassicBuilder {
  const known = new KnownSteps()
  return {
    async build({ archive, credentials, ...request }) {
      await using session = await deps.upload(archive, { credentials, signal: request.signal })
      await buildClassic(deps.builds, known, { ...request, session })
    },

    async buildWithSession(request) {
      const { archive, credentials, signal } = request
      if (request.session === '') {
        await using session = await deps.upload(archive, { credentials, signal })
        return await trace(deps, request, session)
      }
      const client = await deps.session(request.session, signal)
      if (archive === undefined) return await trace(deps, request, client)
      // The files came with the request, everything else is asked of the client.
      await using uploaded = await deps.upload(archive, { credentials, signal })
      await trace(deps, request, withDirectories(client, uploaded))
    },
  }
}

function withDirectories(client: BuildSession, files: BuildSession): BuildSession {
  return {
    id: client.id,
    // Nothing is kept of a context that came in one piece.
    sharedKey: '',
    closed: client.closed,
    directory: (request) => files.directory(request),
    secret: (id) => client.secret(id),
    checkAgent: (id) => client.checkAgent(id),
    forwardAgent: (id) => client.forwardAgent(id),
    credentials: (host) => client.credentials(host),
    upload: (url) => client.upload(url),
    sendFile: (target) => client.sendFile(target),
    sendDirectory: (target, entries, read) => client.sendDirectory(target, entries, read),
    store: (id) => client.store(id),
  }
}

/** Builds and tells of it in BuildKit's own messages. Source: moby daemon/internal/builder-next/builder.go. */
async function trace(deps: ClassicBuilderDeps, request: SessionRequest, session: BuildSession): Promise<void> {
  const { builds } = deps
  const { options, names, cacheImports, signal, report } = request
  const id = request.id === '' ? randomUUID() : request.id
  const build = builds.start({ id, session, entitlements: grantedEntitlements(options), cacheImports, signal })
  const told = new AbortController()
  const telling = request.quiet ? undefined : tell(deps, id, report, told.signal)
  try {
    const answer = await solve(build, options, names, request.exports)
    await telling
    const image = answer['containerimage.config.digest'] ?? answer['containerimage.digest']
    if (image === undefined) return
    report({ id: 'moby.image.id', aux: { ID: parseDigest(image) } })
    if (request.quiet) report({ stream: `${image}\n` })
  } catch (error) {
    await build.end()
    await telling
    throw error
  } finally {
    told.abort()
  }
}

async function solve(
  build: Build,
  options: SessionRequest['options'],
  names: readonly string[],
  exports: SessionRequest['exports'],
): Promise<Record<string, string>> {
  const result = await build.solve({ frontend: 'dockerfile.v0', options, inputs: {}, evaluate: false })
  const wanted = exports.length > 0 ? exports : [{ type: 'moby', attributes: {}, id: '' }]
  const named = wanted.map((target) => ({ ...target, attributes: { name: names.join(','), ...target.attributes } }))
  return await build.finish(result, named, [])
}

async function tell(deps: ClassicBuilderDeps, id: string, report: SessionRequest['report'], signal: AbortSignal): Promise<void> {
  for await (const events of deps.builds.events(id, signal)) {
    report({ id: 'moby.buildkit.trace', aux: Buffer.from(await deps.encodeTrace(events)).toString('base64') })
  }
}
