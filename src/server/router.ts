/**
 * Finds the route of a request. Paths are matched after percent-decoding, as Docker does it, so that `/images/library%2Fnginx/json` and
 * `/images/library/nginx/json` are the same.
 *
 * Routes are kept by method and first segment; inside such a group the table's order decides, so a literal path stands before the greedy
 * one that would swallow it.
 */

import { formatVersion, MAX_API_VERSION, parseVersion, type ApiVersion } from '#api'
import { invalidArgument, notFound } from '#errors'
import type { Method, Route } from './route.ts'

export interface RouteMatch {
  route: Route
  params: Record<string, string>
  version: ApiVersion
  /** Everything after the question mark. */
  search: string
}

export interface Router {
  /**
   * Throws NOT_FOUND `page not found` for an unknown path or method, INVALID_ARGUMENT for a path that is no path, a version out of range,
   * and a route newer than the version.
   */
  match(method: string, target: string): RouteMatch
}

interface CompiledRoute {
  route: Route
  pattern: RegExp
}

/** A proxy writes the whole URI into the request line, and servers must take it (RFC 9112, 3.2.2). */
const ORIGIN = /^https?:\/\/[^/?]*/i
const VERSION_PREFIX = /^\/v([0-9.]+)(?=\/|$)/

export function createRouter(routes: readonly Route[], minVersion: ApiVersion): Router {
  const groups = new Map<string, CompiledRoute[]>()
  for (const route of routes) {
    const key = groupKey(route.method, route.path)
    const group = groups.get(key) ?? []
    group.push({ route, pattern: compilePath(route.path) })
    groups.set(key, group)
  }

  return {
    match(method, target) {
      const url = target.replace(ORIGIN, '')
      const queryStart = url.indexOf('?')
      const search = queryStart === -1 ? '' : url.slice(queryStart + 1)
      let path = decodePath(queryStart === -1 ? url : url.slice(0, queryStart))
      const prefix = VERSION_PREFIX.exec(path)
      if (prefix !== null) path = path.slice(prefix[0].length)

      for (const { route, pattern } of groups.get(groupKey(method as Method, path)) ?? []) {
        const found = pattern.exec(path)
        if (found === null) continue
        const version = prefix === null ? MAX_API_VERSION : checkVersion(prefix[1] ?? '', minVersion)
        if (route.since !== undefined && version < route.since) {
          throw invalidArgument(`${route.method} ${displayPath(route.path)} requires minimum API version ${formatVersion(route.since)}`)
        }
        return { route, params: { ...found.groups }, version, search }
      }
      throw notFound('page not found')
    },
  }
}

/** `/containers/{name*}/json` as Docker writes it in messages: `/containers/{name}/json`. */
export function displayPath(path: string): string {
  return path.replaceAll('*}', '}')
}

function checkVersion(text: string, minVersion: ApiVersion): ApiVersion {
  const version = parseVersion(text)
  if (version === undefined) throw notFound('page not found')
  if (version < minVersion) {
    throw invalidArgument(
      `client version ${text} is too old. Minimum supported API version is ${formatVersion(minVersion)}, please upgrade your client to a newer version`,
    )
  }
  if (version > MAX_API_VERSION) {
    throw invalidArgument(`client version ${text} is too new. Maximum supported API version is ${formatVersion(MAX_API_VERSION)}`)
  }
  return version
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch (error) {
    throw invalidArgument(`invalid URL escape in path ${JSON.stringify(path)}`, error)
  }
}

function groupKey(method: Method, path: string): string {
  const end = path.indexOf('/', 1)
  return `${method} ${end === -1 ? path : path.slice(0, end)}`
}

function compilePath(path: string): RegExp {
  const source = path.replaceAll(/\{(\w+)(\*?)\}|[^{]+/g, (text: string, name: string | undefined, greedy: string) =>
    name === undefined ? RegExp.escape(text) : `(?<${name}>${greedy === '*' ? '.+' : '[^/]+'})`,
  )
  return new RegExp(`^${source}$`)
}
