/**
 * Registry client: where images come from and go to. It knows HTTP, authentication, mirrors and the distribution API; it does not know what
 * an image is, and stores nothing.
 *
 * Lifecycle: one {@link Remotes} per process, made of a {@link HostResolver} (which servers answer for a registry, read from the
 * configuration at each use) and limits; it owns connections and tokens until it is disposed. `repository()` costs nothing and opens
 * nothing; use one handle for one pull or push, since it remembers which mirrors did not answer.
 *
 * What is verified: a manifest's digest and media type here, a blob's digest by whoever stores it (it is hashed there anyway), a blob's
 * length here. What broke is tried again inside `fetchBlob` and `pushBlob`, from the byte where it broke; a refusal is shown at once, in
 * Docker's words.
 *
 * Who sees credentials: the registry's own origin and the token server it names, see `auth/authorizer.ts`; a redirect never takes them
 * along, see `session/redirects.ts`.
 *
 * Glossary: *domain*, the registry in an image's name; *host*, a server that answers for it, the registry itself or a *mirror*; *session*,
 * one host with one set of credentials; *challenge*, what a 401 asks for; *realm*, a token server's address; *scope*, a right in a token.
 *
 * ```ts
 * const hosts = createHostResolver({ directories: ['/etc/docker/certs.d'] })
 * await using remotes = createRemotes({ hosts, userAgent: 'gantry/1.0' })
 * const repository = remotes.repository(parseReference('alpine:3'), 'pull', { signal })
 * const { bytes } = await repository.fetchManifest({ tag: '3' })
 * const document = decodeManifest(bytes)
 * for await (const chunk of repository.fetchBlob(layer)) hash.update(chunk)
 * ```
 */
export type {
  Credentials,
  FetchBlobOptions,
  HostCapability,
  HostResolver,
  PushBlobOptions,
  PushedBlob,
  Referrer,
  RegistryHost,
  RemoteManifest,
  RemoteOptions,
  RemoteRepository,
  Remotes,
  RemotesDeps,
  SearchResult,
  TransferLimits,
} from './types.ts'
export { createRemotes } from './create-remotes.ts'
export { createHostResolver } from './hosts/host-resolver.ts'
export type { HostResolverDeps } from './hosts/host-resolver.ts'
export { DEFAULT_LIMITS } from './transport/limits.ts'
export { networkError } from './transport/network-error.ts'
