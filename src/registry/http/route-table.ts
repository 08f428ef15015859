import { isRepositoryName } from '../repositories/names.ts'
import type { Access, RouteName } from '../types.ts'
import type { Exchange } from './exchange.ts'
import { RegistryError } from './registry-error.ts'

/** What the path says; members that a route has no place for are empty. */
export interface RouteParameters {
  /** Name of the repository, checked. */
  name: string
  /** Tag, digest or upload id as written: to be checked by the handler. */
  reference: string
}

export interface Endpoint {
  /** `push` comes with `pull`, as clients ask for tokens. */
  needs: 'pull' | 'push' | 'delete' | 'login' | 'catalog'
  handle(exchange: Exchange, parameters: RouteParameters): Promise<void> | void
}

export interface Route {
  name: RouteName
  /** Groups: `name`, `reference`. */
  path: RegExp
  endpoints: Readonly<Partial<Record<string, Endpoint>>>
}

export interface RouteMatch {
  route: Route
  parameters: RouteParameters
}

/** The route of a path, or undefined. The order matters: names may contain words like `blobs`. Throws NAME_INVALID. */
export function matchRoute(routes: readonly Route[], path: string): RouteMatch | undefined {
  for (const route of routes) {
    const match = route.path.exec(path)
    if (match === null) continue
    const { name = '', reference = '' } = match.groups ?? {}
    if (match.groups?.['name'] !== undefined && !isRepositoryName(name)) throw new RegistryError('NAME_INVALID', { detail: { name } })
    return { route, parameters: { name, reference } }
  }
  return undefined
}

/** The endpoint for a method; HEAD is a GET. Throws UNSUPPORTED (405) with `Allow`. */
export function endpointOf(route: Route, method: string): Endpoint {
  const endpoint = route.endpoints[method] ?? (method === 'HEAD' ? route.endpoints['GET'] : undefined)
  if (endpoint !== undefined) return endpoint
  const methods = Object.keys(route.endpoints).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
  throw new RegistryError('UNSUPPORTED', { headers: { Allow: methods.join(', ') } })
}

/** The rights an endpoint asks for. */
export function accessOf({ needs }: Endpoint, name: string): Access[] {
  switch (needs) {
    case 'login':
      return []
    case 'catalog':
      return [{ type: 'registry', name: 'catalog', action: '*' }]
    case 'push':
      return [
        { type: 'repository', name, action: 'pull' },
        { type: 'repository', name, action: 'push' },
      ]
    case 'pull':
    case 'delete':
      return [{ type: 'repository', name, action: needs }]
  }
}
