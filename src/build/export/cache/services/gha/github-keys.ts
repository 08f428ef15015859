import { EngineError } from '#errors'
import { parseJson } from '#lib'
import { callService } from '../call-service.ts'
import type { CallOptions } from '../call-service.ts'

/** Entries that GitHub lists at once. */
const PAGE = 100
/** Of one scope; a repository's cache has 10 GB. */
const MAX_PAGES = 100
const API = 'https://api.github.com'

/**
 * Keys that a repository's cache has in one scope. Asking for each of them by the cache's own protocol is limited by GitHub. Source: GitHub's REST API, "List
 * GitHub Actions caches for a repository".
 */
export async function listGithubKeys(
  { repository, token, prefix, scope }: { repository: string; token: string; prefix: string; scope: string },
  { api = API, signal, ...http }: CallOptions & { api?: string; signal: AbortSignal },
): Promise<string[]> {
  const keys: string[] = []
  for (let page = 1; page <= MAX_PAGES; page++) {
    const query = new URLSearchParams({ key: prefix, ref: scope, per_page: String(PAGE), page: String(page) })
    const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }
    const url = `${api}/repos/${repository}/actions/caches?${query.toString()}`
    const { status, statusText, body } = await callService({ url, headers, authorization: `Bearer ${token}`, signal }, http)
    if (status !== 200) throw new EngineError('UNAVAILABLE', `failed to list caches of ${repository}: ${status} ${statusText}`)
    const { actions_caches: found } = parseJson(body, { maxBytes: 1 << 20, maxDepth: 8 }) as { actions_caches?: { key?: unknown }[] }
    keys.push(...(found ?? []).map(({ key }) => String(key)))
    if ((found?.length ?? 0) < PAGE) break
  }
  return keys
}
