/** Filters of the lists of networks. Source: moby daemon/network/filter.go. */

import { invalidArgument } from '#errors'
import type { NetworkRecord } from '#networks'
import { hasLabel, untilFilter, type Filters } from './filters.ts'

export const NETWORK_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'] as const

export type NetworkPredicate = (network: NetworkRecord) => boolean

const PREDEFINED = ['bridge', 'host', 'none']

const isPredefined: NetworkPredicate = ({ name }) => PREDEFINED.includes(name)

/** `inUse`: whether a container has an endpoint on it. Throws INVALID_ARGUMENT. */
export function networkFilter(filters: Filters, inUse: NetworkPredicate): NetworkPredicate {
  const predicates: NetworkPredicate[] = []
  const any = (key: (typeof NETWORK_FILTERS)[number], make: (value: string) => NetworkPredicate): void => {
    const given = filters[key]?.map(make) ?? []
    if (given.length > 0) predicates.push((network) => given.some((predicate) => predicate(network)))
  }
  any('driver', (driver) => (network) => network.driver === driver)
  any('name', (name) => matching(name, (network) => network.name))
  any('id', (id) => matching(id, (network) => network.id))
  any('scope', (scope) => (network) => network.scope === scope)
  any('type', ofType)
  for (const label of filters['label'] ?? []) predicates.push(({ labels }) => hasLabel(labels, label))
  const dangling = danglingFilter(filters)
  if (dangling !== undefined) predicates.push((network) => (!isPredefined(network) && !inUse(network)) === dangling)
  return (network) => predicates.every((predicate) => predicate(network))
}

/** Which networks a prune is about, by label and age. */
export function networkPruneFilter(filters: Filters): NetworkPredicate {
  const until = untilFilter(filters)
  const { label = [], 'label!': labelNot = [] } = filters
  return ({ labels, created }) =>
    (until === undefined || Date.parse(created) <= until) &&
    label.every((wanted) => hasLabel(labels, wanted)) &&
    !labelNot.some((unwanted) => hasLabel(labels, unwanted))
}

/** A regular expression; one that does not compile matches nothing but itself. */
function matching(source: string, textOf: (network: NetworkRecord) => string): NetworkPredicate {
  try {
    const pattern = new RegExp(source)
    return (network) => pattern.test(textOf(network))
  } catch {
    return (network) => textOf(network) === source
  }
}

function ofType(type: string): NetworkPredicate {
  if (type === 'builtin') return isPredefined
  if (type === 'custom') return (network) => !isPredefined(network)
  throw invalidArgument(`invalid filter: 'type'='${type}'`)
}

function danglingFilter(filters: Filters): boolean | undefined {
  const [value, ...more] = filters['dangling'] ?? []
  if (value === undefined) return undefined
  if (more.length > 0) throw invalidArgument('got more than one value for filter key "dangling"')
  if (value === '1' || value === 'true') return true
  if (value === '0' || value === 'false') return false
  throw invalidArgument(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`)
}
