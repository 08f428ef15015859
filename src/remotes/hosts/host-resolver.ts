import { lookup } from 'node:dns/promises'
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { invalidArgument } from '#errors'
import type { HostCapability, HostResolver, RegistryHost } from '../types.ts'
import { readCertificates } from './certificate-directory.ts'
import { parseHostsFile } from './hosts-file.ts'
import type { HostEntry } from './hosts-file.ts'
import { isInsecure, resolvesToInsecure } from './insecure.ts'
import type { LookupAddresses } from './insecure.ts'

export interface HostResolverDeps {
  /** Mirrors of Docker Hub, URLs. Asked at each use, as everything here. */
  mirrors?: () => readonly string[]
  /** `HOST[:PORT]` and CIDRs. */
  insecure?: () => readonly string[]
  /** Directories like `/etc/docker/certs.d`, the first one that knows a registry counts. */
  directories?: readonly string[]
  /** Addresses of a name, for CIDRs; the system's resolver unless given. */
  lookup?: LookupAddresses
}

const HUB = 'docker.io'
const HUB_HOST = 'registry-1.docker.io'
/** Names that belong to Docker Hub's one registry. */
const HUB_DOMAINS: ReadonlySet<string> = new Set([HUB, 'index.docker.io'])

const ALL: ReadonlySet<HostCapability> = new Set(['pull', 'resolve', 'push'])
const MIRROR: ReadonlySet<HostCapability> = new Set(['pull', 'resolve'])

/**
 * Puts together what dockerd's options and the directory of a registry say. A `hosts.toml` decides alone (dockerd's mirrors do not count
 * beside it); without one the registry is asked itself, Docker Hub after its mirrors, with the certificates of the directory.
 */
export function createHostResolver(deps: HostResolverDeps): HostResolver {
  const { mirrors = () => [], insecure = () => [], directories = [], lookup = systemLookup } = deps

  async function registry(domain: string, directory: string | undefined): Promise<RegistryHost> {
    const anyone = await resolvesToInsecure(domain, insecure(), lookup)
    return {
      base: `https://${registryHost(domain)}/v2`,
      capabilities: ALL,
      tls: { skipVerify: anyone, ...readCertificates(directory) },
      headers: {},
      credentials: true,
      plainFallback: anyone,
    }
  }

  async function hubMirror(mirror: string): Promise<RegistryHost> {
    const url = new URL(mirror)
    return {
      base: `${url.href.replace(/\/$/, '')}/v2`,
      capabilities: MIRROR,
      tls: {
        skipVerify: await resolvesToInsecure(url.host, insecure(), lookup),
        ...readCertificates(findDirectory(directories, url.host)),
      },
      headers: {},
      credentials: false,
      plainFallback: false,
    }
  }

  async function fromEntry(entry: HostEntry, domain: string, directory: string, last: boolean): Promise<RegistryHost> {
    const own = registryHost(domain)
    const { server, skipVerify } = entry
    const isOwn = server === undefined || server.host === own
    const anyone = skipVerify ?? (isOwn && (await resolvesToInsecure(domain, insecure(), lookup)))
    const read = (path: string): Buffer => readFileSync(resolve(directory, path))
    const explicitTls = entry.ca.length > 0 || entry.clients.length > 0 || skipVerify !== undefined
    // TLS is tried first where certificates are given for an address that says http, unless it is the port of plain HTTP.
    const upgraded = server?.protocol === 'http:' && explicitTls && server.port !== ''
    const root = server === undefined ? `https://${own}` : server.href.replace(/^http:/, upgraded ? 'https:' : 'http:')
    return {
      base: apiRoot(root, entry.overridePath),
      capabilities: entry.capabilities,
      tls: {
        skipVerify: anyone,
        ca: entry.ca.map(read),
        clients: entry.clients.map(({ cert, key }) => ({ cert: read(cert), key: key === undefined ? undefined : read(key) })),
      },
      headers: entry.headers,
      // What a client gave for a registry is the registry's: mirrors get what their own `header` says.
      credentials: isOwn || last,
      plainFallback: upgraded || (server === undefined && anyone),
      ...(!isOwn && { namespace: domain }),
      ...(entry.dialTimeout !== undefined && { connectMs: entry.dialTimeout }),
    }
  }

  return {
    async hosts(given) {
      const domain = HUB_DOMAINS.has(given) ? HUB : checkDomain(given)
      const directory = findDirectory(directories, domain)
      const entries = directory === undefined ? undefined : readHostsFile(directory)
      if (directory !== undefined && entries !== undefined) {
        return await Promise.all(entries.map((entry, index) => fromEntry(entry, domain, directory, index === entries.length - 1)))
      }
      const aside = domain === HUB ? await Promise.all(mirrors().map(hubMirror)) : []
      return [...aside, await registry(domain, directory)]
    },
    isInsecure: (domain) => isInsecure(domain, insecure()),
  }
}

function registryHost(domain: string): string {
  return domain === HUB ? HUB_HOST : domain
}

/** The domain becomes part of a path and of a URL. */
function checkDomain(domain: string): string {
  if (!/^(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::\d+)?$/.test(domain))
    throw invalidArgument(`invalid registry name ${JSON.stringify(domain)}`)
  return domain
}

/** `registry_5000_` (containerd, for file systems without colons), `registry:5000`, and for all others `_default`. */
function findDirectory(directories: readonly string[], domain: string): string | undefined {
  const names = [domain.replace(/:(\d+)$/, '_$1_'), domain, '_default']
  return names
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
}

function readHostsFile(directory: string): HostEntry[] | undefined {
  const path = join(directory, 'hosts.toml')
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
  return parseHostsFile(readFileSync(path, 'utf8'), path)
}

function apiRoot(url: string, overridePath: boolean): string {
  const root = url.replace(/\/+$/, '')
  return overridePath || root.endsWith('/v2') ? root : `${root}/v2`
}

async function systemLookup(hostname: string): Promise<string[]> {
  const found = await lookup(hostname, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}
