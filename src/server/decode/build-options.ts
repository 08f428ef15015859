/**
 * The query of `POST /build`, as options of BuildKit's Dockerfile frontend. Source: moby daemon/server/router/build/build_routes.go and
 * daemon/internal/builder-next (names of the options).
 */

import type { CacheLocation } from '#build'
import { invalidArgument } from '#errors'
import { parseReference } from '#oci'
import { parseJson } from './json-body.ts'
import { checkPlatformText } from './platform.ts'
import type { Query } from './query.ts'

export interface BuildQuery {
  /** `target`, `filename`, `build-arg:X` … */
  options: Record<string, string>
  names: string[]
  quiet: boolean
  /** Empty: the context is the body. */
  remote: string
  buildId: string
  cacheImports: CacheLocation[]
}

/** Numbers that are passed on, by their names on both sides; 0 stands for none. */
const LIMITS = {
  memory: 'memory',
  memswap: 'memory-swap',
  cpushares: 'cpu-shares',
  cpuperiod: 'cpu-period',
  cpuquota: 'cpu-quota',
  shmsize: 'shm-size',
} as const

const TEXTS = { cpusetcpus: 'cpuset-cpus', cpusetmems: 'cpuset-mems', cgroupparent: 'cgroup-parent', target: 'target' } as const

/** What errors call a parameter, where that is not its name. */
const TITLES: Readonly<Record<string, string>> = { buildargs: 'build args', ulimits: 'ulimit settings' }

/** Throws INVALID_ARGUMENT for what is malformed, NOT_IMPLEMENTED for what the builder does not do. */
export function buildQuery(query: Query): BuildQuery {
  refuse(query)
  const remote = query.text('remote')
  const options: Record<string, string> = {
    ...numbers(query),
    ...texts(query),
    ...prefixed('build-arg:', jsonMap(query, 'buildargs')),
    ...prefixed('label:', jsonMap(query, 'labels')),
    ...(query.text('dockerfile') !== '' && { filename: query.text('dockerfile') }),
    ...(query.text('platform') !== '' && { platform: checkPlatformText(query.text('platform')) }),
    ...(query.bool('nocache') && { 'no-cache': '' }),
    ...(query.bool('pull') && { 'image-resolve-mode': 'pull' }),
    ...network(query.text('networkmode')),
    ...hosts(query.all('extrahosts')),
    ...ulimits(query),
  }
  return {
    options,
    names: names(query.all('t')),
    quiet: query.bool('q'),
    remote,
    buildId: query.text('buildid'),
    cacheImports: jsonStrings(query, 'cachefrom').map((ref) => ({ type: 'registry', attributes: { ref } })),
  }
}

function refuse(query: Query): void {
  if (query.bool('squash')) throw invalidArgument('squash is only supported with experimental mode')
  // dockerd takes them on Windows only.
  if (query.all('securityopt').some((option) => option !== ''))
    throw invalidArgument('The daemon on this platform does not support setting security options on build')
  const isolation = query.text('isolation')
  if (isolation !== '' && isolation !== 'default') throw invalidArgument(`unsupported isolation: ${JSON.stringify(isolation)}`)
}

/** A build is not begun for a name that its image cannot have. */
function names(texts: readonly string[]): string[] {
  const given = texts.filter((text) => text !== '')
  for (const text of given) if (parseReference(text).digest !== undefined) throw invalidArgument('build tag cannot contain a digest')
  return given
}

function numbers(query: Query): Record<string, string> {
  return Object.fromEntries(
    Object.entries(LIMITS).flatMap(([wire, name]) => {
      const value = query.integer(wire) ?? 0
      return value === 0 ? [] : [[name, String(value)]]
    }),
  )
}

function texts(query: Query): Record<string, string> {
  return Object.fromEntries(Object.entries(TEXTS).flatMap(([wire, name]) => (query.text(wire) === '' ? [] : [[name, query.text(wire)]])))
}

function prefixed(prefix: string, values: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[`${prefix}${name}`, value]])))
}

function network(mode: string): Record<string, string> {
  return mode === '' || mode === 'default' || mode === 'bridge' ? {} : { 'force-network-mode': mode }
}

/** `host:address` (of IPv6 perhaps in brackets), or several of them behind each other with commas, as older clients send them. */
function hosts(values: readonly string[]): Record<string, string> {
  const pairs = values.flatMap((value) => value.split(',')).filter((pair) => pair !== '')
  const texts = pairs.map((pair) => pair.replace(/[:=]/, '=').replace(/=\[(.*)\]$/, '=$1'))
  return texts.length === 0 ? {} : { 'add-hosts': texts.join(',') }
}

function ulimits(query: Query): Record<string, string> {
  const list = json(query, 'ulimits') ?? []
  if (!Array.isArray(list)) throw malformed('ulimits')
  const texts = list.map((entry: unknown) => {
    const { Name, Soft, Hard } = (entry ?? {}) as Record<string, unknown>
    if (typeof Name !== 'string' || typeof Soft !== 'number' || typeof Hard !== 'number') throw malformed('ulimits')
    return `${Name}=${Soft}:${Hard}`
  })
  return texts.length === 0 ? {} : { ulimit: texts.join(',') }
}

function json(query: Query, name: string): unknown {
  const text = query.text(name)
  if (text === '') return undefined
  try {
    return parseJson(Buffer.from(text))
  } catch (error) {
    throw invalidArgument(`error reading ${TITLES[name] ?? name}: ${(error as Error).message}`)
  }
}

function jsonMap(query: Query, name: string): Record<string, string | null> {
  const value = json(query, name) ?? {}
  const isMap = typeof value === 'object' && !Array.isArray(value)
  if (!isMap || Object.values(value).some((member) => member !== null && typeof member !== 'string')) throw malformed(name)
  return value as Record<string, string | null>
}

function jsonStrings(query: Query, name: string): string[] {
  const value = json(query, name) ?? []
  if (!Array.isArray(value) || value.some((member) => typeof member !== 'string')) throw malformed(name)
  return value as string[]
}

function malformed(name: string): Error {
  return invalidArgument(`error reading ${TITLES[name] ?? name}: not of the expected form`)
}
