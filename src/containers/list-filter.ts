import { invalidArgument } from '#errors'
import type { Container, ListFilters } from './types.ts'

/** Filters that need more than the container itself. */
export interface FilterLookups {
  /** Ids of all containers, for unique prefixes. */
  ids: readonly string[]
  /** Ids of the images that `ancestor` values stand for, with all made from them. */
  imagesFrom: (ref: string) => Iterable<string>
}

type Predicate = (container: Container) => boolean

const STATUSES = ['created', 'dead', 'exited', 'paused', 'removing', 'restarting', 'running']
const HEALTH = ['none', 'starting', 'healthy', 'unhealthy']

/**
 * One predicate per filter key. A container passes a key when any of its values fits; of `label` all must fit. `isolation` exists for Windows
 * only and lets everything pass; `before` and `since` depend on the order of the list and are handled there.
 * Source: behaviour of moby daemon/list.go.
 */
const FILTERS: Record<string, (values: string[], lookups: FilterLookups) => Predicate> = {
  ancestor(values, { imagesFrom }) {
    const images = new Set(values.flatMap((ref) => [...imagesFrom(ref)]))
    return ({ imageId }) => images.has(imageId)
  },
  exited(values) {
    const codes = values.map((value) => {
      if (!/^[+-]?\d+$/.test(value)) throw invalidFilter('exited', value)
      return Number(value)
    })
    return ({ state }) =>
      'exitCode' in state && state.status !== 'restarting' && state.status !== 'created' && codes.includes(state.exitCode)
  },
  expose: (values) => portFilter('expose', values, ({ config }) => config.exposedPorts),
  health(values) {
    for (const value of values) if (!HEALTH.includes(value)) throw invalidArgument(`Unrecognised filter value for health: ${value}`)
    return ({ health }) => values.includes(health?.status ?? 'none')
  },
  id(values, { ids }) {
    // A prefix that fits several containers selects none of them.
    const selected = new Set(values.flatMap((prefix) => uniqueMatch(ids, prefix)))
    return ({ id }) => selected.has(id)
  },
  isolation: () => () => true,
  'is-task'(values) {
    // Containers of a swarm's tasks do not exist here.
    const wanted = values.includes('true') ? 'true' : 'false'
    if (!values.includes(wanted)) throw invalidFilter('is-task', `[${values.join(' ')}]`)
    return () => wanted === 'false'
  },
  label: (values) => (container) => values.every((label) => hasLabel(container.config.labels, label)),
  name(values) {
    const patterns = values.flatMap(compilePattern)
    return ({ name }) => patterns.some((pattern) => pattern.test(name) || pattern.test(`/${name}`))
  },
  network: (values) => (container) => values.some((value) => isOnNetwork(container, value)),
  publish: (values) =>
    portFilter('publish', values, ({ endpoints }) =>
      endpoints.flatMap(({ ports }) => ports.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`)),
    ),
  status(values) {
    for (const value of values) if (!STATUSES.includes(value)) throw invalidFilter('status', value)
    return ({ state }) => values.includes(state.status)
  },
  volume: (values) => (container) =>
    container.mounts.some(({ name, source, destination }) => values.includes(destination) || values.includes(name === '' ? source : name)),
}

/** Throws INVALID_ARGUMENT `invalid filter 'x'` for keys and values that do not exist. */
export function compileListFilter(filters: ListFilters, lookups: FilterLookups): Predicate {
  const predicates: Predicate[] = []
  const ports: Predicate[] = []
  for (const [key, values] of Object.entries(filters)) {
    if (key === 'before' || key === 'since') continue
    const make = Object.hasOwn(FILTERS, key) ? FILTERS[key] : undefined
    if (make === undefined) throw invalidArgument(`invalid filter '${key}'`)
    // Unlike other keys, `expose` and `publish` together select what fits either.
    if (values.length > 0) (key === 'expose' || key === 'publish' ? ports : predicates).push(make(values, lookups))
  }
  if (ports.length > 0) predicates.push((container) => ports.some((predicate) => predicate(container)))
  return (container) => predicates.every((predicate) => predicate(container))
}

function invalidFilter(key: string, value: string): Error {
  return invalidArgument(`invalid filter '${key}=${value}'`)
}

function uniqueMatch(ids: readonly string[], prefix: string): string[] {
  if (prefix === '') return []
  const matches = ids.filter((id) => id.startsWith(prefix))
  return matches.length === 1 ? matches : []
}

function hasLabel(labels: Record<string, string>, label: string): boolean {
  const equals = label.indexOf('=')
  const key = equals < 0 ? label : label.slice(0, equals)
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === label.slice(equals + 1))
}

/** Names are matched as regular expressions; one that does not compile matches nothing. Go's leading `(?i)` is a flag here. */
function compilePattern(source: string): RegExp[] {
  const insensitive = source.startsWith('(?i)')
  try {
    return [new RegExp(insensitive ? source.slice(4) : source, insensitive ? 'i' : '')]
  } catch {
    return []
  }
}

/** By name as asked for or connected, or by a prefix of the network's id. */
function isOnNetwork({ networks, endpoints }: Container, value: string): boolean {
  return (
    Object.hasOwn(networks, value) ||
    endpoints.some(({ networkName }) => networkName === value) ||
    (value !== '' && [...Object.values(networks), ...endpoints].some(({ networkId }) => networkId?.startsWith(value)))
  )
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function portFilter(key: string, values: string[], portsOf: (container: Container) => string[]): Predicate {
  const ranges = values.map((value) => {
    if (value.includes(':')) throw invalidArgument(`filter for '${key}' should not contain ':': ${value}`)
    const match = /^(\d+)(?:-(\d+))?(?:\/([a-z]*))?$/i.exec(value)
    const first = Number(match?.[1])
    const last = Number(match?.[2] ?? match?.[1])
    if (match === null || last > 65535 || last < first)
      throw invalidArgument(`error while looking up for ${key} ${value}: invalid port range`)
    return { first, last, protocol: (match[3] || 'tcp').toLowerCase() }
  })
  return (container) =>
    portsOf(container).some((port) => {
      const [number = '', protocol = 'tcp'] = port.split('/')
      return ranges.some((range) => range.protocol === protocol && Number(number) >= range.first && Number(number) <= range.last)
    })
}
