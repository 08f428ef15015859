/** `/networks`: the default ones can be looked at; networks of one's own come with the next part. */

import type { NetworkContainer } from '#api'
import type { ContainerService } from '#containers'
import { forbidden } from '#errors'
import type { NetworkRecord, NetworkService } from '#networks'
import { booleanFilter, parseFilters, type Filters } from '../decode/filters.ts'
import type { RequestContext } from '../request-context.ts'
import { refusedRoute, type Route } from '../route.ts'
import { encodeNetwork, encodeNetworkContainer, encodeNetworkStatus } from '../wire/network.ts'

interface Deps {
  networks: NetworkService
  containers: ContainerService
}

const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']

export function networkRoutes(deps: Deps): Route[] {
  const { networks } = deps
  const list = (context: RequestContext): void => {
    const filters = parseFilters(context.query.text('filters'), LIST_FILTERS)
    const found = networks.list().filter((network) => matchesFilters(network, filters, networks))
    context.json(
      200,
      found.map((network) => (context.version < 52 ? { ...encodeNetwork(network), Containers: {} } : encodeNetwork(network))),
    )
  }
  return [
    { method: 'GET', path: '/networks', summary: 'List networks', handle: list },
    { method: 'GET', path: '/networks/', summary: 'The same', handle: list },
    refusedRoute('POST', '/networks/create', 'creating networks'),
    {
      method: 'POST',
      path: '/networks/prune',
      since: 25,
      summary: 'Delete unused networks',
      handle(context) {
        // Nothing but the default networks exists, and those are never pruned.
        parseFilters(context.query.text('filters'), ['label', 'label!', 'until'])
        context.json(200, { NetworksDeleted: null })
      },
    },
    refusedRoute('POST', '/networks/{id*}/connect', 'connecting containers to networks'),
    refusedRoute('POST', '/networks/{id*}/disconnect', 'disconnecting containers from networks'),
    {
      method: 'GET',
      path: '/networks/{id*}',
      summary: 'Inspect a network',
      async handle(context) {
        const network = networks.get(context.param('id'))
        const status = context.version < 52 ? {} : { Status: encodeNetworkStatus(network, networks.endpoints(network.id)) }
        context.json(200, { ...encodeNetwork(network), Containers: await connectedContainers(deps, network), ...status })
      },
    },
    {
      method: 'DELETE',
      path: '/networks/{id*}',
      summary: 'Remove a network',
      handle(context) {
        const network = networks.get(context.param('id'))
        throw forbidden(`${network.name} is a pre-defined network and cannot be removed`)
      },
    },
  ]
}

/** By container id. A container that is being removed just now is left out. */
async function connectedContainers({ networks, containers }: Deps, network: NetworkRecord): Promise<Record<string, NetworkContainer>> {
  const list = await containers.list({ all: true, limit: 0, size: false, filters: {} })
  const names = new Map(list.map(({ container }) => [container.id, container.name]))
  return Object.fromEntries(
    networks.endpoints(network.id).flatMap((endpoint) => {
      const name = names.get(endpoint.containerId)
      return name === undefined ? [] : [[endpoint.containerId, encodeNetworkContainer(endpoint, name)]]
    }),
  )
}

function matchesFilters(network: NetworkRecord, filters: Filters, networks: NetworkService): boolean {
  const any = (key: string, matches: (value: string) => boolean): boolean => filters[key] === undefined || filters[key].some(matches)
  const isPredefined = ['bridge', 'host', 'none'].includes(network.name)
  const dangling = booleanFilter(filters, 'dangling')
  if (dangling !== undefined && (!isPredefined && networks.endpoints(network.id).length === 0) !== dangling) return false
  return (
    any('driver', (driver) => network.driver === driver) &&
    any('id', (id) => network.id.startsWith(id)) &&
    any('name', (name) => network.name.includes(name)) &&
    any('scope', (scope) => network.scope === scope) &&
    any('type', (type) => type === (isPredefined ? 'builtin' : 'custom')) &&
    (filters['label'] ?? []).every((label) => {
      const [key = '', value] = label.split(/=(.*)/s)
      return Object.hasOwn(network.labels, key) && (value === undefined || network.labels[key] === value)
    })
  )
}
