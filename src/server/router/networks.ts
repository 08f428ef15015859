/** `/networks`. */

import type { NetworkContainer, NetworkInspect } from '#api'
import type { ContainerService } from '#containers'
import { notFound } from '#errors'
import type { NetworkRecord, NetworkService } from '#networks'
import { NETWORK_FILTERS, networkFilter, networkPruneFilter } from '../decode/network-filters.ts'
import { parseFilters } from '../decode/filters.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { encodeNetworkStatus } from '../wire/network-status.ts'
import {
  encodeNetwork,
  encodeNetworkContainer,
  networkConnect,
  networkCreate,
  networkDisconnect,
  toCreateRequest,
} from '../wire/network.ts'

interface Deps {
  networks: NetworkService
  containers: ContainerService
}

export function networkRoutes(deps: Deps): Route[] {
  const { networks, containers } = deps
  const list = (context: RequestContext): Promise<void> => listNetworks(deps, context)
  return [
    { method: 'GET', path: '/networks', summary: 'List networks', handle: list },
    { method: 'GET', path: '/networks/', summary: 'The same', handle: list },
    {
      method: 'POST',
      path: '/networks/create',
      summary: 'Create a network',
      async handle(context) {
        const { id } = await networks.create(toCreateRequest(await context.readJson(networkCreate)))
        context.json(201, { Id: id, Warning: '' })
      },
    },
    {
      method: 'POST',
      path: '/networks/prune',
      since: 25,
      summary: 'Delete unused networks',
      async handle(context) {
        const filters = parseFilters(context.query.text('filters'), ['label', 'label!', 'until'])
        const removed = await networks.prune(networkPruneFilter(filters))
        context.json(200, { NetworksDeleted: removed.length > 0 ? removed.map(({ name }) => name) : null })
      },
    },
    {
      method: 'POST',
      path: '/networks/{id*}/connect',
      summary: 'Connect a container to a network',
      async handle(context) {
        const { container = '', endpoint = {} } = await context.readJson(networkConnect)
        await containers.connectNetwork(container, context.param('id'), endpoint)
        context.empty(200)
      },
    },
    {
      method: 'POST',
      path: '/networks/{id*}/disconnect',
      summary: 'Disconnect a container from a network',
      async handle(context) {
        const { container = '', force = false } = await context.readJson(networkDisconnect)
        await containers.disconnectNetwork(container, context.param('id'), { force })
        context.empty(200)
      },
    },
    {
      method: 'GET',
      path: '/networks/{id*}',
      summary: 'Inspect a network',
      async handle(context) {
        context.json(200, await inspectNetwork(deps, context))
      },
    },
    {
      method: 'DELETE',
      path: '/networks/{id*}',
      summary: 'Remove a network',
      async handle(context) {
        await networks.remove(context.param('id'))
        context.empty(204)
      },
    },
  ]
}

/** Up to 1.27 a list told as much as inspect; up to 1.51 it had the member for it, empty. */
async function listNetworks(deps: Deps, context: RequestContext): Promise<void> {
  const { networks } = deps
  const filters = parseFilters(context.query.text('filters'), NETWORK_FILTERS)
  const found = networks.list().filter(networkFilter(filters, ({ id }) => networks.endpoints(id).length > 0))
  const names = context.version < 28 ? await containerNames(deps) : new Map<string, string>()
  context.json(
    200,
    found.map((network) =>
      context.version < 52 ? { ...encodeNetwork(network), Containers: connectedContainers(deps, network, names) } : encodeNetwork(network),
    ),
  )
}

/** `verbose` would add the services of a swarm, which there is none of. */
async function inspectNetwork(deps: Deps, context: RequestContext): Promise<NetworkInspect> {
  const { networks } = deps
  const ref = context.param('id')
  const scope = context.query.text('scope')
  const network = networks.get(ref)
  if (scope !== '' && network.scope !== scope) throw notFound(`network ${ref} not found`)
  const status = context.version < 52 ? {} : { Status: encodeNetworkStatus(network, networks.endpoints(network.id)) }
  return { ...encodeNetwork(network), Containers: connectedContainers(deps, network, await containerNames(deps)), ...status }
}

async function containerNames({ containers }: Deps): Promise<Map<string, string>> {
  const list = await containers.list({ all: true, limit: 0, size: false, filters: {} })
  return new Map(list.map(({ container }) => [container.id, container.name]))
}

/** By container id. A container that is being removed just now is left out. */
function connectedContainers(
  { networks }: Deps,
  network: NetworkRecord,
  names: ReadonlyMap<string, string>,
): Record<string, NetworkContainer> {
  if (names.size === 0) return {}
  return Object.fromEntries(
    networks.endpoints(network.id).flatMap((endpoint) => {
      const name = names.get(endpoint.containerId)
      return name === undefined ? [] : [[endpoint.containerId, encodeNetworkContainer(endpoint, name)]]
    }),
  )
}
