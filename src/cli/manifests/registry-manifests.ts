import { codeOf } from '#errors'
import {
  decodeManifest,
  fullName,
  fullString,
  MAX_CONFIG_SIZE,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type Platform,
  type Reference,
} from '#oci'
import { createHostResolver, createRemotes, type RemoteManifest, type RemoteRepository } from '#remotes'
import type { Cli } from '../cli.ts'
import { credentialKey, storedAuth } from '../config/credentials.ts'
import { CLI_VERSION } from '../version.ts'
import { orderedPlatform, type LocalManifest } from './image-manifest.ts'

/** Where the machine's certificates of registries are, for the daemon and for us. */
const CERTIFICATES = '/etc/docker/certs.d'

/** Registries as `docker manifest` speaks to them: straight, without a daemon. */
export interface RegistryManifests extends AsyncDisposable {
  repository(name: Reference, intent: 'pull' | 'push'): RemoteRepository
  /** One image. Throws Error with Docker's text when there is none, or a list in its place. */
  image(reference: Reference): Promise<LocalManifest>
  /** An image, or all images of a list; `isList` says which. */
  imageOrList(reference: Reference): Promise<{ isList: boolean; manifests: LocalManifest[] }>
}

/** `insecure`: certificates are not checked, and plain HTTP will do. */
export function openRegistry(cli: Cli, insecure: boolean): RegistryManifests {
  const domains = new Set<string>()
  const { env } = cli
  const remotes = createRemotes({
    hosts: createHostResolver({ insecure: () => (insecure ? [...domains] : []), directories: [CERTIFICATES] }),
    userAgent: `Gantry-Client/${CLI_VERSION}`,
    proxies: { http: variable(env, 'HTTP_PROXY'), https: variable(env, 'HTTPS_PROXY'), no: variable(env, 'NO_PROXY') },
  })

  function repository(name: Reference, intent: 'pull' | 'push'): RemoteRepository {
    domains.add(name.domain)
    const { username = '', password = '', identitytoken = '' } = storedAuth(cli, credentialKey(name.domain))
    const credentials = {
      ...(username === '' ? {} : { username, password }),
      ...(identitytoken === '' ? {} : { identityToken: identitytoken }),
    }
    return remotes.repository(name, intent, { credentials })
  }

  async function imageOrList(reference: Reference): Promise<{ isList: boolean; manifests: LocalManifest[] }> {
    const source = repository(reference, 'pull')
    const found = await fetchOrNone(source, reference)
    const document = decodeManifest(found.bytes)
    if (document.kind === 'manifest') return { isList: false, manifests: [await describe(source, reference, found, document.manifest)] }
    const manifests = document.index.manifests.map((entry) => describeEntry(source, reference, entry))
    return { isList: true, manifests: await Promise.all(manifests) }
  }

  return {
    repository,
    imageOrList,
    async image(reference) {
      const { isList, manifests } = await imageOrList(reference)
      const [manifest] = manifests
      if (isList || manifest === undefined) throw new Error(`${fullString(reference)} is a manifest list`)
      return manifest
    },
    [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
  }
}

function variable(env: Cli['env'], name: string): string {
  return env[name] || env[name.toLowerCase()] || ''
}

async function fetchOrNone(source: RemoteRepository, reference: Reference): Promise<RemoteManifest> {
  const { digest, tag = '' } = reference
  try {
    return await source.fetchManifest(digest === undefined ? { tag } : { digest })
  } catch (error) {
    // Docker's CLI does not tell a registry that cannot be reached from one that has not got it; the reason follows ours.
    if (codeOf(error) === 'NOT_FOUND') throw new Error(`no such manifest: ${fullString(reference)}`, { cause: error })
    if (codeOf(error) === 'UNAVAILABLE')
      throw new Error(`no such manifest: ${fullString(reference)}: ${(error as Error).message}`, { cause: error })
    throw error
  }
}

/** The platform of a single image stands in its config. */
async function describe(
  source: RemoteRepository,
  reference: Reference,
  found: RemoteManifest,
  manifest: ImageManifest,
): Promise<LocalManifest> {
  const { mediaType, digest, size } = found.descriptor
  return {
    ref: fullString(reference),
    descriptor: { mediaType, digest, size, platform: await configPlatform(source, manifest.config) },
    raw: found.bytes,
  }
}

async function configPlatform(source: RemoteRepository, config: Descriptor): Promise<Platform> {
  if (config.size > MAX_CONFIG_SIZE) throw new Error(`config ${config.digest} is larger than ${MAX_CONFIG_SIZE} bytes`)
  const chunks = await Array.fromAsync(source.fetchBlob(config))
  return orderedPlatform(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Partial<Platform>)
}

async function describeEntry(source: RemoteRepository, list: Reference, entry: Descriptor): Promise<LocalManifest> {
  const { bytes, descriptor } = await source.fetchManifest({ digest: entry.digest, size: entry.size })
  const { mediaType, digest, size } = descriptor
  return {
    ref: `${fullString(list).replace(/@.*$/, '')}@${digest}`,
    descriptor: { mediaType, digest, size, ...(entry.platform === undefined ? {} : { platform: orderedPlatform(entry.platform) }) },
    raw: bytes,
  }
}

/** Blobs that an image consists of. */
export function blobsOf({ raw }: LocalManifest): Descriptor[] {
  const document = decodeManifest(raw)
  return document.kind === 'manifest' ? [document.manifest.config, ...document.manifest.layers] : []
}

/** `name@digest`, as push reports it. */
export function digestName(name: Reference, digest: Digest): string {
  return `${fullName(name)}@${digest}`
}
