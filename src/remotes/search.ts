import { EngineError, invalidArgument } from '#errors'
import { parseJson, readLimited } from '#lib'
import type { RegistryAccess } from './login.ts'
import { codeOfStatus } from './session/engine-error.ts'
import { RegistryError } from './session/registry-error.ts'
import { createRegistrySession } from './session/registry-session.ts'
import { requestHeaders } from './session/request-headers.ts'
import { abandonable, checkCancelled } from './transport/cancel.ts'
import { MAX_DOCUMENT_SIZE } from './transport/limits.ts'
import { NetworkError } from './transport/network-error.ts'
import type { RegistryHost, RemoteOptions, SearchResult } from './types.ts'

const HUB = 'docker.io'
const HUB_INDEX = 'index.docker.io'
const DEFAULT_LIMIT = 25
const MAX_LIMIT = 100

/** See `Remotes.search`. Source: moby v28 registry/search.go and search_session.go. */
export async function search(access: RegistryAccess, term: string, options: RemoteOptions & { limit: number }): Promise<SearchResult[]> {
  const { credentials = {}, headers, signal } = options
  if (term.includes('://')) throw invalidArgument(`invalid repository name: repository name (${term}) should not have a scheme`)
  const limit = options.limit === 0 ? DEFAULT_LIMIT : options.limit
  if (limit < 1 || limit > MAX_LIMIT) throw invalidArgument(`limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`)
  const { domain, wanted } = splitTerm(term)
  const host = (await access.hosts.hosts(domain)).at(-1)
  if (host === undefined) throw invalidArgument(`no endpoints found for ${domain}`)
  // Hub's search is not where its registry is: headers that are meant for a server of hosts.toml are not for it.
  const index = domain === HUB ? { ...host, base: `https://${HUB_INDEX}/v2`, headers: {} } : host
  const session = createRegistrySession({ ...access, host: index, credentials, headers: requestHeaders(access.userAgent, headers) })
  try {
    const { origin } = await abandonable(session.ping(), signal)
    const url = new URL(`${origin}/v1/search?${new URLSearchParams({ q: wanted, n: String(limit) }).toString()}`)
    const response = await session.send({ method: 'GET', path: url, scopes: ['registry:catalog:search'], signal })
    if (response.status !== 200) {
      response.discard()
      throw new EngineError('INTERNAL', `unexpected status code ${response.status}`)
    }
    const body = await readLimited(response.body, MAX_DOCUMENT_SIZE, 'search results')
    return decodeResults(body).slice(0, limit)
  } catch (error) {
    checkCancelled(signal)
    if (error instanceof NetworkError) throw unreachable(error, domain, index)
    if (error instanceof RegistryError) throw new EngineError(codeOfStatus(error.status), error.message, { cause: error })
    throw error
  }
}

/** `host/term`, where the host looks like one; else the term is for Docker Hub, whose official images are known without `library/`. */
function splitTerm(term: string): { domain: string; wanted: string } {
  const [first = '', ...rest] = term.split('/')
  if (rest.length === 0 || !(/[.:]/.test(first) || first === 'localhost')) return { domain: HUB, wanted: term.replace(/^library\//, '') }
  const wanted = rest.join('/')
  return first === HUB_INDEX || first === HUB ? { domain: HUB, wanted: wanted.replace(/^library\//, '') } : { domain: first, wanted }
}

function unreachable(error: NetworkError, domain: string, { plainFallback }: RegistryHost): EngineError {
  if (domain === HUB || plainFallback) return new EngineError('UNAVAILABLE', error.message, { cause: error })
  return invalidArgument(
    `invalid registry endpoint https://${domain}/v1/: ${error.message}. ` +
      `If this private registry supports only HTTP or HTTPS with an unknown CA certificate, add \`--insecure-registry ${domain}\` to the daemon's arguments. ` +
      `In the case of HTTPS, if you have access to the registry's CA certificate, no need for the flag; place the CA certificate at /etc/docker/certs.d/${domain}/ca.crt`,
    error,
  )
}

/** Results that lack a name are left out; of the rest each field has its type. */
function decodeResults(body: Buffer): SearchResult[] {
  let document: unknown
  try {
    document = parseJson(body, { maxBytes: MAX_DOCUMENT_SIZE, maxDepth: 16 })
  } catch (error) {
    throw new EngineError('INTERNAL', `error decoding registry search results: ${(error as Error).message}`, { cause: error })
  }
  const { results } = (document ?? {}) as { results?: unknown }
  return (Array.isArray(results) ? (results as Record<string, unknown>[]) : []).flatMap((result): SearchResult[] => {
    const { name, description, star_count: stars, is_official: isOfficial } = result ?? {}
    if (typeof name !== 'string') return []
    return [
      {
        name,
        description: typeof description === 'string' ? description : '',
        stars: typeof stars === 'number' ? stars : 0,
        isOfficial: isOfficial === true,
        // Hub's value is not to be trusted any more: Docker says false, always.
        isAutomated: false,
      },
    ]
  })
}
