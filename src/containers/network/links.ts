import { codeOf, conflict, internal, invalidArgument } from '#errors'
import type { HostsFileRequest } from '#networks'
import type { Context } from '../context.ts'
import type { ContainerEntry } from '../entry.ts'
import { isActive } from '../state.ts'
import type { HostConfig } from '../configuration.ts'
import type { Container, ContainerLink } from '../types.ts'
import { linksConflict, networkOf } from '../verify-config.ts'
import { changeHosts } from './live-hosts.ts'
import { linkEnvironment } from './link-environment.ts'

/** The one network whose containers know each other by links; on all others names are answered. */
export const LINKED_NETWORK = 'bridge'

/** A link with the container it leads to. */
interface Linked {
  alias: string
  child: Container
}

/**
 * The links of a new container (`--link name:alias`). On a network of the user's they are the endpoint's, and those of the host configuration mean
 * nothing there. Throws INVALID_ARGUMENT with Docker's texts. Source: moby daemon/daemon_unix.go, registerLinks.
 */
export function resolveLinks(host: Pick<HostConfig, 'networkMode' | 'links'>, find: (ref: string) => Container): ContainerLink[] {
  const mode = networkOf(host)
  if (mode !== 'default' && mode !== LINKED_NETWORK) return []
  return host.links.map((link) => {
    const { name, alias } = parseLink(link)
    let child = linkTarget(name, find)
    while (networkOf(child.hostConfig) === 'container') child = linkTarget(child.hostConfig.networkMode.slice('container:'.length), find)
    if (networkOf(child.hostConfig) === 'host') throw linksConflict('host type networking')
    return { containerId: child.id, alias }
  })
}

/** Not NOT_FOUND: clients take that for a missing image and begin to pull. */
function linkTarget(name: string, find: (ref: string) => Container): Container {
  try {
    return find(name)
  } catch (error) {
    if (codeOf(error) !== 'NOT_FOUND') throw error
    throw invalidArgument(`could not get container for ${name}: ${(error as Error).message}`, error)
  }
}

/** `name`, `name:alias`, and what inspect shows of a link: `/name:/container/alias`. Source: moby daemon/pkg/opts, ParseLink. */
export function parseLink(text: string): { name: string; alias: string } {
  if (text === '') throw invalidArgument('empty string specified for links')
  const [name = '', alias = name, ...more] = text.split(':')
  if (more.length > 0) throw invalidArgument(`bad format for links: ${text}`)
  return name.startsWith('/') ? { name: name.slice(1), alias: alias.slice(alias.lastIndexOf('/') + 1) } : { name, alias }
}

/** The record as clients see it: `HostConfig.Links` with the names that the linked containers have now, `/db:/web/alias`. */
export function withLinkNames(ctx: Context, container: Container): Container {
  if (container.hostConfig.links.length === 0) return container
  const links = linked(ctx, container).map(({ alias, child }) => `/${child.name}:/${container.name}/${alias}`)
  return { ...container, hostConfig: { ...container.hostConfig, links } }
}

/** Variables of a container that starts, or of an exec in it. Throws CONFLICT when it is linked to one that does not run. */
export function linkedVariables(ctx: Context, container: Container): string[] {
  if (!Object.hasOwn(container.networks, LINKED_NETWORK)) return []
  return linked(ctx, container).flatMap(({ alias, child }) => {
    const name = `/${container.name}/${alias}`
    if (!isActive(child.state)) throw conflict(`Cannot link to a non running container: /${child.name} AS ${name}`)
    const address = bridgeAddresses(child)[0] ?? ''
    return linkEnvironment({ name, address, env: child.config.env, exposedPorts: child.config.exposedPorts })
  })
}

/** Lines of /etc/hosts for the containers it is linked to. Throws INVALID_ARGUMENT for one that is not on the default bridge. */
export function linkedHosts(ctx: Context, container: Container): NonNullable<HostsFileRequest['links']> {
  if (!Object.hasOwn(container.networks, LINKED_NETWORK)) return []
  return linked(ctx, container).flatMap(({ alias, child }) => {
    if (!Object.hasOwn(child.networks, LINKED_NETWORK))
      throw invalidArgument(`cannot link to /${child.name}, as it does not belong to the default network`)
    const names = [...new Set([alias, child.config.hostname, child.name])]
    return bridgeAddresses(child).map((address) => ({ address, names }))
  })
}

/** The container has started, perhaps with other addresses than before: those linked to it hear of it. */
export function tellLinkingContainers(ctx: Context, child: Container): void {
  const [ipv4] = bridgeAddresses(child)
  if (ipv4 === undefined) return
  for (const { record } of ctx.store.all()) {
    if (!isActive(record.state)) continue
    for (const { containerId, alias } of record.links ?? [])
      if (containerId === child.id) changeHosts(record.hostsPath, moveAlias(alias, ipv4))
  }
}

/** `docker rm --link web/alias`. Throws with Docker's texts. */
export async function removeLink(ctx: Context, ref: string): Promise<void> {
  const path = ref.replace(/^\//, '')
  const slash = path.lastIndexOf('/')
  if (slash < 0) throw invalidArgument('Conflict, cannot remove the default link name of the container')
  const parent = parentOf(ctx, path.slice(0, slash), ref)
  const alias = path.slice(slash + 1)
  using _lock = await parent.mutex.lock()
  if (parent.removed) throw noParent(path.slice(0, slash), ref)
  const links = (parent.record.links ?? []).filter((link) => link.alias !== alias)
  ctx.store.save(parent, { links })
  if (isActive(parent.record.state)) changeHosts(parent.record.hostsPath, dropAlias(alias))
}

function parentOf(ctx: Context, name: string, ref: string): ContainerEntry {
  const entry = ctx.store.byId(ctx.store.names.ownerOf(name) ?? '')
  if (entry === undefined) throw noParent(name, ref)
  return entry
}

function noParent(name: string, ref: string): Error {
  return internal(`Cannot get parent /${name} for link name /${ref.replace(/^\//, '')}`)
}

/** A link to a container that was removed is none any more. */
function linked(ctx: Context, container: Pick<Container, 'links'>): Linked[] {
  return (container.links ?? []).flatMap(({ alias, containerId }) => {
    const child = ctx.store.byId(containerId)?.record
    return child === undefined ? [] : [{ alias, child }]
  })
}

function bridgeAddresses(child: Container): string[] {
  const endpoint = child.endpoints.find(({ networkName }) => networkName === LINKED_NETWORK)
  return [endpoint?.ipv4Address ?? '', endpoint?.ipv6Address ?? ''].filter((address) => address !== '')
}

function moveAlias(alias: string, address: string): (lines: string[]) => string[] {
  const isSameFamily = (line: string): boolean => line.split('\t', 1)[0]?.includes(':') === address.includes(':')
  return (lines) => lines.map((line) => (isOf(alias, line) && isSameFamily(line) ? `${address}${line.slice(line.indexOf('\t'))}` : line))
}

function dropAlias(alias: string): (lines: string[]) => string[] {
  return (lines) => lines.filter((line) => !isOf(alias, line))
}

/** A link's line has its alias first. */
function isOf(alias: string, line: string): boolean {
  return line.split('\t')[1]?.split(' ', 1)[0] === alias
}
