/** Which namespaces are new, joined or the host's. Source: moby daemon/oci_linux.go, WithNamespaces. */

import { invalidArgument } from '#errors'
import type { LinuxSpec, NamespaceType } from '#oci'
import type { HostConfig } from '../configuration.ts'
import type { SpecInput } from './spec-input.ts'

export type NamespaceMode = { kind: 'new' } | { kind: 'host' } | { kind: 'container'; ref: string }

/** `host`, `container:<ref>`, anything else is a namespace of its own. */
export function namespaceMode(mode: string): NamespaceMode {
  if (mode === 'host') return { kind: 'host' }
  if (mode.startsWith('container:')) return { kind: 'container', ref: mode.slice('container:'.length) }
  return { kind: 'new' }
}

/** A network namespace of the container's own: bridge, none, user-defined. */
export function hasOwnNetwork(hostConfig: Pick<HostConfig, 'networkMode'>): boolean {
  return namespaceMode(hostConfig.networkMode).kind === 'new'
}

/** An IPC namespace that is not the host's: sysctls of it may be set. */
export function hasContainerIpc(hostConfig: Pick<HostConfig, 'ipcMode'>): boolean {
  return hostConfig.ipcMode !== 'host'
}

/** Throws INVALID_ARGUMENT when a container whose namespace is joined is not running (no pid in `peers`). */
export function namespaces(hostConfig: HostConfig, peers: SpecInput['peers']): LinuxSpec['namespaces'] {
  const list: LinuxSpec['namespaces'] = [{ type: 'mount' }]
  const add = (type: NamespaceType, entry: string, mode: NamespaceMode, pid: number | undefined): void => {
    if (mode.kind === 'new') list.push({ type })
    if (mode.kind !== 'container') return
    if (pid === undefined) throw invalidArgument(`cannot join the ${type} namespace of container ${mode.ref}: it is not running`)
    list.push({ type, path: `/proc/${pid}/ns/${entry}` })
  }
  add('network', 'net', namespaceMode(hostConfig.networkMode), peers.network)
  if (hostConfig.utsMode !== 'host') list.push({ type: 'uts' })
  add('pid', 'pid', namespaceMode(hostConfig.pidMode), peers.pid)
  add('ipc', 'ipc', namespaceMode(hostConfig.ipcMode), peers.ipc)
  if (hostConfig.cgroupnsMode === 'private') list.push({ type: 'cgroup' })
  return list
}
