/** Questions to registries: search, login, and what a name means there. */

import type { DistributionInspect, ImageSearchItem, WireDescriptor, WirePlatform } from '#api'
import { internal, invalidArgument } from '#errors'
import { decodeManifest, MAX_CONFIG_SIZE, MEDIA_TYPES, parseAnyReference, withDefaultTag, type Descriptor } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { ApiServerDeps } from '../backend.ts'
import { booleanFilter, parseFilters, type Filters } from '../decode/filters.ts'
import { credentialsOf, registryCredentials, registryHeaders } from '../decode/registry-auth.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { authConfig } from '../wire/auth-config.ts'
import { platform } from '../wire/platform.ts'

const SEARCH_FILTERS = ['is-automated', 'is-official', 'stars']
const DEFAULT_SEARCH_LIMIT = 25
const MAX_SEARCH_LIMIT = 100
const HUB = 'https://index.docker.io/v1/'

export function registryRoutes({ remotes }: Pick<ApiServerDeps, 'remotes'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/images/search',
      summary: 'Search a registry for images',
      handle: (context) => search(remotes, context),
    },
    {
      method: 'POST',
      path: '/auth',
      summary: 'Check a registry login',
      async handle(context) {
        const config = await context.readJson(authConfig)
        const { status, identityToken } = await remotes.login(config.serveraddress || HUB, credentialsOf(config) ?? {}, {
          signal: context.signal,
        })
        context.json(200, { IdentityToken: identityToken, Status: status })
      },
    },
    {
      method: 'GET',
      path: '/distribution/{name*}/json',
      since: 30,
      summary: 'Ask a registry what a name stands for',
      async handle(context) {
        const parsed = parseAnyReference(context.param('name'))
        if ('id' in parsed) throw internal('no manifest found for full image ID')
        const credentials = registryCredentials(context.request.headers)
        const repository = remotes.repository(parsed.name, 'pull', {
          headers: registryHeaders(context.request.headers),
          signal: context.signal,
          ...(credentials === undefined ? {} : { credentials }),
        })
        const { tag = '', digest } = withDefaultTag(parsed.name)
        context.json(200, await inspectDistribution(repository, digest === undefined ? { tag } : { digest }))
      },
    },
  ]
}

async function search(remotes: ApiServerDeps['remotes'], context: RequestContext): Promise<void> {
  const { query, request } = context
  const limit = query.integer('limit') ?? 0
  if (limit < 0) throw invalidArgument('invalid limit specified')
  const filters = parseFilters(query.text('filters'), SEARCH_FILTERS)
  const wanted = { official: booleanFilter(filters, 'is-official'), stars: leastStars(filters) }
  // Registries have given up saying so: nothing is automated.
  if (booleanFilter(filters, 'is-automated') === true) return context.json(200, [])
  const term = query.text('term')
  if (term.includes('://')) throw invalidArgument(`invalid repository name: repository name (${term}) should not have a scheme`)
  if (limit > MAX_SEARCH_LIMIT) throw invalidArgument(`limit ${limit} is outside the range of [1, ${MAX_SEARCH_LIMIT}]`)
  const credentials = registryCredentials(request.headers)
  const found = await remotes.search(term, {
    limit: limit === 0 ? DEFAULT_SEARCH_LIMIT : limit,
    headers: registryHeaders(request.headers),
    signal: context.signal,
    ...(credentials === undefined ? {} : { credentials }),
  })
  const items = found
    .filter(({ isOfficial, stars }) => (wanted.official === undefined || isOfficial === wanted.official) && stars >= wanted.stars)
    .map(({ name, description, stars, isOfficial }): ImageSearchItem => {
      return { star_count: stars, is_official: isOfficial, name, is_automated: false, description }
    })
  context.json(200, items)
}

function leastStars(filters: Filters): number {
  const numbers = (filters['stars'] ?? []).map((text) => {
    if (/^[+-]?\d+$/.test(text)) return Number(text)
    throw invalidArgument(`invalid filter 'stars=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  })
  return Math.max(0, ...numbers)
}

/** Source: moby `fetchManifest` of the distribution router. The platform of a single image stands in its config. */
async function inspectDistribution(
  repository: RemoteRepository,
  reference: Parameters<RemoteRepository['fetchManifest']>[0],
): Promise<DistributionInspect> {
  const { descriptor, bytes } = await repository.fetchManifest(reference)
  const document = decodeManifest(bytes)
  const { mediaType, digest, size } = descriptor
  return {
    Descriptor: { mediaType, digest, size } satisfies WireDescriptor,
    Platforms:
      document.kind === 'index'
        ? document.index.manifests.flatMap(({ platform }) => platform ?? [])
        : await platformOf(repository, document.manifest.config),
  }
}

async function platformOf(repository: RemoteRepository, config: Descriptor): Promise<WirePlatform[] | null> {
  const isImage = config.mediaType === MEDIA_TYPES.dockerConfig || config.mediaType === MEDIA_TYPES.ociConfig
  if (!isImage || config.size > MAX_CONFIG_SIZE) return null
  const chunks = await Array.fromAsync(repository.fetchBlob(config))
  try {
    const { os = '', architecture = '', variant = '' } = platform.decode(JSON.parse(Buffer.concat(chunks).toString('utf8')), 0)
    return os === '' || architecture === '' ? null : [{ architecture, os, ...(variant === '' ? {} : { variant }) }]
  } catch {
    return null // a registry may hold anything; the digest is still the answer
  }
}
