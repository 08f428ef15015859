/** Contracts of `remotes/`. The manual is in `index.ts`. */

import type { Descriptor, Digest, Reference } from '#oci'

/** What a client knows to log in with; all optional, as in Docker's `X-Registry-Auth`. */
export interface Credentials {
  username?: string
  password?: string
  /** OAuth2 refresh token that a registry's token server gave at login. */
  identityToken?: string
  /** Bearer token to be sent as it is. */
  registryToken?: string
}

/** What a host may be asked to do. Source: containerd docs/hosts.md, `capabilities`. */
export type HostCapability = 'pull' | 'resolve' | 'push'

/** One place that answers for a registry: the registry itself or a mirror. */
export interface RegistryHost {
  /** `https://mirror.example:5000/v2` with everything before the repository's name; no slash at the end. */
  base: string
  capabilities: ReadonlySet<HostCapability>
  tls: {
    /** Certificates are not checked. */
    skipVerify: boolean
    /** PEM; in addition to the system's. */
    ca: Buffer[]
    /** Client certificates. */
    clients: { cert: Buffer; key: Buffer | undefined }[]
  }
  /** Sent with every request to this host. */
  headers: Readonly<Record<string, string | readonly string[]>>
  /** Given to the client's credentials, too; false for mirrors of Docker Hub: their operators may not see Hub's passwords. */
  credentials: boolean
  /** On failure of TLS plain HTTP is tried (insecure registries as dockerd knows them). */
  plainFallback: boolean
  /**
   * Sent as `?ns=` so that a mirror of several registries knows which one is meant. Source: containerd docs/hosts.md, "Registry Host
   * Namespace".
   */
  namespace?: string
  /** Milliseconds for making a connection, where it is not the client's own limit. Source: the same, `dial_timeout`. */
  connectMs?: number
}

/** Where a registry's content may be had from, in the order to be tried; the registry itself comes last. */
export interface HostResolver {
  /** `domain` as in a reference: `docker.io`, `registry:5000`. Reads configuration files anew each time. */
  hosts(domain: string): Promise<readonly RegistryHost[]>
  /** Whether certificates of this registry are not checked, for `info`. */
  isInsecure(domain: string): boolean
}

export interface RemoteOptions {
  credentials?: Credentials
  /** `X-Meta-*` and `User-Agent` additions of the API client. */
  headers?: Readonly<Record<string, string>>
  /** Certificates are not checked and plain HTTP will do, whatever the configuration says. */
  insecure?: boolean
  signal?: AbortSignal
}

/** A manifest or index as it came. */
export interface RemoteManifest {
  descriptor: Descriptor
  /** Exactly the bytes that have the digest. */
  bytes: Buffer
}

export interface FetchBlobOptions {
  signal?: AbortSignal
  /** First byte wanted. */
  offset?: number
  /** Called when a broken connection is going to be tried again, with seconds to wait. */
  retrying?: (seconds: number) => void
}

/** What became of a blob that was pushed. */
export type PushedBlob = { kind: 'exists' } | { kind: 'mounted'; from: string } | { kind: 'uploaded'; digest: Digest; size: number }

export interface PushBlobOptions {
  /** Known when the blob is at hand; undefined while it is made on the way (compressed). */
  digest?: Digest
  size?: number
  /** Path of a repository of the same registry that should have it: `library/alpine`. */
  mountFrom?: string
  /** Opens the content; called again for a retry. `digest` and `size` are known when the stream has ended. */
  open: (signal?: AbortSignal) => AsyncIterable<Buffer>
  /** For content that is made on the way: called after the stream's end. */
  result?: () => { digest: Digest; size: number }
  signal?: AbortSignal
  /** Bytes sent so far. */
  progress?: (sent: number) => void
}

/** One repository of a registry, through its hosts. Errors: see {@link Remotes}. */
export interface RemoteRepository {
  readonly name: Reference
  /** The manifest or index that a tag or digest names; a HEAD where that is enough. */
  resolve(reference: { tag: string } | { digest: Digest }, options?: { signal?: AbortSignal }): Promise<Descriptor>
  /** Fetches a manifest and checks digest and size. At most `MAX_MANIFEST_SIZE`. */
  fetchManifest(reference: { tag: string } | { digest: Digest; size?: number }, options?: { signal?: AbortSignal }): Promise<RemoteManifest>
  /**
   * Content of a blob from `offset` on. Breaks are mended inside: the next request asks for the rest (`Range`), with back-off, until the
   * attempts are used up. The digest is checked by whoever stores it. More bytes than `descriptor.size` are an error at once. `urls` are
   * asked last, and only for a `mediaType` of layers that may not be distributed.
   */
  fetchBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size' | 'urls'> & Partial<Pick<Descriptor, 'mediaType'>>,
    options?: FetchBlobOptions,
  ): AsyncIterable<Buffer>
  /** Bytes of a blob that may be pulled; undefined where it is not there. */
  statBlob(digest: Digest, options?: { signal?: AbortSignal }): Promise<{ size: number } | undefined>
  hasBlob(digest: Digest, options?: { signal?: AbortSignal }): Promise<boolean>
  pushBlob(options: PushBlobOptions): Promise<PushedBlob>
  pushManifest(
    reference: { tag: string } | { digest: Digest },
    manifest: { mediaType: string; bytes: Buffer },
    options?: { signal?: AbortSignal },
  ): Promise<Digest>
  /** All tags, page by page. */
  tags(options?: { signal?: AbortSignal }): AsyncIterable<string>
  /** Manifests whose `subject` this is. Source: distribution-spec v1.1, "Listing Referrers", with the tag schema as fallback. */
  referrers(subject: Digest, options?: { artifactType?: string; signal?: AbortSignal }): Promise<Referrer[]>
}

/** A descriptor with what image-spec v1.1 adds to it in a list of referrers. */
export interface Referrer extends Descriptor {
  artifactType?: string
}

export interface SearchResult {
  name: string
  description: string
  stars: number
  isOfficial: boolean
  isAutomated: boolean
}

/** How patient the client is. Times are milliseconds. Defaults: `DEFAULT_LIMITS`. */
export interface TransferLimits {
  /** For a TCP connection and its TLS handshake. */
  connect: number
  /** From the end of a request to the head of its response. */
  response: number
  /** The same where the registry may have to check or move a whole blob first (PATCH and PUT). */
  uploadResponse: number
  /** A body that delivers nothing, or takes nothing, for so long is broken. */
  idle: number
  /**
   * A body must deliver `minimumBytes` in each `window` that we wait for it: one byte a second is a broken connection, too (slow loris).
   */
  window: number
  minimumBytes: number
  /** Before the second attempt; then four times longer each, up to `backoffMaximum`, and a quarter more or less by chance. */
  backoff: number
  backoffMaximum: number
  /** Of `Retry-After`: a registry that wants to be left alone for longer is believed, and the error is given to the user. */
  retryAfterMaximum: number
}

/** What {@link Remotes} are made of. */
export interface RemotesDeps {
  hosts: HostResolver
  /** First part of `User-Agent`: `gantry/1.0`. */
  userAgent: string
  /**
   * Proxies by the scheme of the registry's URL, and hosts that are asked directly, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY of Go programs.
   */
  proxies?: { http?: string; https?: string; no?: string }
  /** Tries for each blob, down or up, without any progress, at least 1; asked at each transfer. 5 as dockerd. */
  attempts?: () => number
  limits?: Partial<TransferLimits>
}

/**
 * Registries as seen from a client. All errors are `EngineError`s with the text that Docker shows: UNAUTHORIZED (401, `unauthorized: …`,
 * `no basic auth credentials`), FORBIDDEN (`denied: …` of a push), NOT_FOUND (`manifest for x:y not found: manifest unknown: …`, and `pull
 * access denied for x, repository does not exist or may require 'docker login': denied: …`, which Docker answers with 404, too),
 * RESOURCE_EXHAUSTED (429, `toomanyrequests: …`), UNAVAILABLE (cannot be reached, or answers with 5xx), INVALID_ARGUMENT (what came is not
 * what was promised), CANCELLED.
 */
export interface Remotes extends AsyncDisposable {
  /** `intent` decides which hosts are asked and which rights the token is for. */
  repository(name: Reference, intent: 'pull' | 'push', options?: RemoteOptions): RemoteRepository
  /**
   * Checks credentials against a registry (`https://index.docker.io/v1/`, `registry:5000`). Throws UNAUTHORIZED. The identity token is
   * empty where the token server gives none.
   */
  login(
    server: string,
    credentials: Credentials,
    options?: { signal?: AbortSignal; userAgent?: string },
  ): Promise<{ status: string; identityToken: string }>
  /** Docker's `/v1/search`. `term` may begin with a registry: `host/term`. At most `limit` (1–100) results. */
  search(term: string, options: RemoteOptions & { limit: number }): Promise<SearchResult[]>
}
