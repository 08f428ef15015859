/** Seams of the registry server: what is plugged into its core. The manual is in `index.ts`. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Digest } from '#oci'
import type { ReferrerDescriptor } from './repositories/types.ts'

/**
 * One right that a request needs. `registry`/`catalog`/`*` is the listing of repositories. Source: distribution docs/spec/auth/scope.md,
 * `type:name:action`.
 */
export type Access =
  | { type: 'repository'; name: string; action: 'pull' | 'push' | 'delete' }
  | { type: 'registry'; name: 'catalog'; action: '*' }

export type AccessDecision =
  | { kind: 'allowed'; /** Name of the user, for events and logs; absent for an anonymous one. */ actor?: string }
  /** 401 `UNAUTHORIZED`: the client should come again with credentials. `headers` hold `WWW-Authenticate`. */
  | { kind: 'challenge'; headers: Readonly<Record<string, string>>; detail?: unknown }
  /** 403 `DENIED`: the credentials are good, the right is not there. */
  | { kind: 'denied'; detail?: unknown }
  /** 429 `TOOMANYREQUESTS`. `retryAfter` in seconds. */
  | { kind: 'throttled'; retryAfter: number }

/** Decides about every request below `/v2/` before anything else is done with it. Without one all is allowed. */
export interface AccessController {
  /** All of `access` is needed; empty for `/v2/` itself, which asks whether the credentials are good at all. Throws for failures of its own (500). */
  authorise(request: IncomingMessage, access: readonly Access[]): Promise<AccessDecision>
}

export type RegistryAction = 'push' | 'pull' | 'delete' | 'mount'

/** Something that happened, told after it is stored (push, mount, delete) or when the answer is sent (pull; also HEAD of manifests). */
export interface RegistryEvent {
  action: RegistryAction
  /** Milliseconds since the epoch. */
  time: number
  repository: string
  target: {
    /** Absent when a tag, not content, was deleted. */
    digest?: Digest
    /** `application/octet-stream` for blobs. */
    mediaType?: string
    /** Bytes. */
    size?: number
    tag?: string
    /** Path on this server: `/v2/a/manifests/sha256:…`. */
    path: string
    /** Of a mount: where the blob was. */
    fromRepository?: string
  }
  actor?: string
  request: RequestInfo
}

/** Facts of a request, for events and logs. */
export interface RequestInfo {
  /** Random, 32 hex digits. */
  id: string
  /** `203.0.113.7:53412`. */
  address: string
  /** As the client wrote it. */
  host: string
  method: string
  userAgent: string
}

/** Must not throw and not wait: it queues. */
export interface RegistryEvents {
  publish(event: RegistryEvent): void
}

/** Where content comes from that this registry does not have. With one, the registry takes no pushes. Throws `RegistryError` or any error (502). */
export interface Upstream {
  /**
   * Called before a manifest is looked up here: brings it into the local repository when the upstream has it and the local copy is missing or (a
   * tag) may be stale. Returns when the local repository is as good as it gets; unknown manifests are no error.
   */
  refreshManifest(repository: string, reference: { tag: string } | { digest: Digest }, options: { signal: AbortSignal }): Promise<void>
  /** Called when a blob is not here. Undefined: the upstream has none either. */
  statBlob(repository: string, digest: Digest, options: { signal: AbortSignal }): Promise<{ size: number } | undefined>
  /** All that speak of `subject`, in any order; undefined when the upstream cannot be asked: then those that are here count. */
  referrers(repository: string, subject: Digest, options: { signal: AbortSignal }): Promise<readonly ReferrerDescriptor[] | undefined>
  /** The blob's bytes, or `start` to `end` inclusive of them, while they are also being stored. */
  readBlob(repository: string, digest: Digest, options: { range?: { start: number; end: number }; signal: AbortSignal }): Promise<Readable>
}

/** The kinds of paths, for metrics and logs. */
export type RouteName =
  | 'base'
  | 'catalog'
  | 'tags'
  | 'manifests'
  | 'blobs'
  | 'uploads'
  | 'upload'
  | 'referrers'
  /** Pages beside the API: metrics, health, tokens. */
  | 'page'
  /** Not a path of this server. */
  | 'unknown'

export interface RequestReport extends RequestInfo {
  route: RouteName
  repository?: string
  actor?: string
  path: string
  /** 0 when the client went away before a status was sent. */
  status: number
  seconds: number
  /** Bytes of the bodies. */
  received: number
  sent: number
  /** The client or the server broke the connection before the answer was whole. */
  aborted: boolean
}

/** Sees each request begin and end; for metrics and the access log. Must not throw. */
export interface RequestObserver {
  started(): void
  finished(report: RequestReport): void
}

/** Answers for a path outside `/v2/`; `request` is not read yet. Errors give 500. */
export type Page = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void

export interface RegistryLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  /** Something an operator should look at. */
  error(message: string, error: unknown): void
}
