/** Calls of the images group. */
import type { ImageDeleteItem, ImageHistoryItem, ImagePruneResponse, ImageSummary, WirePlatform } from '#api'
import type { HttpResponse, RequestBody } from './connection.ts'
import type { EngineClient } from './engine-client.ts'
import { unlessEmpty, type Filters } from './filters.ts'

export function listImages(
  client: EngineClient,
  options: { all?: boolean; filters?: Filters; sharedSize?: boolean; manifests?: boolean },
): Promise<ImageSummary[]> {
  return client.call('GET', '/images/json', {
    query: { all: options.all, filters: unlessEmpty(options.filters), 'shared-size': options.sharedSize, manifests: options.manifests },
  })
}

export function imageHistory(client: EngineClient, name: string, platform?: WirePlatform): Promise<ImageHistoryItem[]> {
  return client.call('GET', imagePath(name, '/history'), { query: { platform } })
}

export function removeImage(
  client: EngineClient,
  name: string,
  options: { force?: boolean; noprune?: boolean; platforms?: WirePlatform[] },
): Promise<ImageDeleteItem[]> {
  return client.call('DELETE', imagePath(name), {
    query: { force: options.force, noprune: options.noprune, platforms: options.platforms?.map((platform) => JSON.stringify(platform)) },
  })
}

export function tagImage(client: EngineClient, name: string, repo: string, tag: string): Promise<void> {
  return client.call('POST', imagePath(name, '/tag'), { query: { repo, tag } })
}

export function pruneImages(client: EngineClient, filters: Filters): Promise<ImagePruneResponse> {
  return client.call('POST', '/images/prune', { query: { filters: unlessEmpty(filters) } })
}

/** A progress stream. An empty `tag` pulls every tag. */
export function pullImage(
  client: EngineClient,
  options: { fromImage: string; tag?: string; platform?: string; auth?: string },
): Promise<HttpResponse> {
  return client.open('POST', '/images/create', {
    query: { fromImage: options.fromImage, tag: options.tag, platform: options.platform },
    ...authHeader(options.auth),
  })
}

export function pushImage(
  client: EngineClient,
  name: string,
  options: { tag?: string; platform?: WirePlatform; auth?: string },
): Promise<HttpResponse> {
  return client.open('POST', imagePath(name, '/push'), {
    query: { tag: options.tag, platform: options.platform },
    ...authHeader(options.auth),
  })
}

/** `fromSrc` is a URL, or `-` with the tar as `body`. */
export function importImage(
  client: EngineClient,
  query: { fromSrc: string; repo?: string; tag?: string; message?: string; changes?: string[]; platform?: string },
  body?: RequestBody,
): Promise<HttpResponse> {
  return client.open('POST', '/images/create', { query, ...(body === undefined ? {} : { body, contentType: 'application/x-tar' }) })
}

export function loadImages(
  client: EngineClient,
  tar: RequestBody,
  options: { quiet?: boolean; platform?: WirePlatform },
): Promise<HttpResponse> {
  return client.open('POST', '/images/load', {
    query: { quiet: options.quiet, platform: options.platform },
    body: tar,
    contentType: 'application/x-tar',
  })
}

export function saveImages(client: EngineClient, names: string[], platform?: WirePlatform): Promise<HttpResponse> {
  return client.open('GET', '/images/get', { query: { names, platform } })
}

/** Image names contain slashes, and the API's paths have them unescaped. */
export function imagePath(name: string, rest = ''): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':').replaceAll('%40', '@')}${rest}`
}

/** Docker's client sends the header with every pull and push, if only to say that there are no credentials. */
function authHeader(auth: string | undefined): { headers?: Record<string, string> } {
  return auth === undefined ? {} : { headers: { 'X-Registry-Auth': auth } }
}
