import type { Readable } from 'node:stream'
import type { ProgressMessage } from '#images'
import type { Credentials } from '#remotes'
import type { CacheLocation, ExportRequest } from '../types.ts'

/** What the classic door asks for. Names of `options` are those of BuildKit's Dockerfile frontend. */
export interface ClassicRequest {
  /** Empty: none; by it the build can be cancelled. */
  id: string
  /** The context as a tar archive, or one Dockerfile; undefined: `options.context` names another place, or `session` has it. */
  archive: Readable | undefined
  options: Readonly<Record<string, string>>
  /** `app:1`, as the user wrote them. */
  names: readonly string[]
  /** Nothing is told but the id at the end, or what led to a failure. */
  quiet: boolean
  cacheImports: readonly CacheLocation[]
  /** By registry, as in the client's config.json. */
  credentials: Readonly<Record<string, Credentials>>
  signal: AbortSignal
  report: (message: ProgressMessage) => void
}

/** The same for `version=2`: BuildKit's session has been opened beside the request, and progress is BuildKit's own. */
export interface SessionRequest extends ClassicRequest {
  /** Id of the session. */
  session: string
  /** Empty: an image in the store. */
  exports: readonly ExportRequest[]
}

/** `POST /build`. */
export interface ClassicBuilder {
  /** Throws what is wrong before anything is told; `FailedCommand` when a RUN step fails. */
  build(request: ClassicRequest): Promise<void>
  buildWithSession(request: SessionRequest): Promise<void>
}
