/** Kernel parameters of the container's own namespaces. */

import { invalidArgument } from '#errors'
import type { HostConfig } from '../configuration.ts'
import { hasContainerIpc, hasOwnNetwork, namespaceMode } from './namespaces.ts'
import type { HostFacts } from './spec-input.ts'

/** Those outside net.* and fs.mqueue.* that belong to a namespace. Source: ipc_namespaces(7). */
const IPC_SYSCTLS = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
])

/**
 * Refuses what would change the host, with the runtime's texts (runc libcontainer/configs/validate, which Docker leaves the check to).
 * Throws INVALID_ARGUMENT.
 */
export function verifySysctls(hostConfig: Pick<HostConfig, 'sysctls' | 'ipcMode' | 'networkMode' | 'utsMode'>): void {
  for (const name of Object.keys(hostConfig.sysctls)) {
    const quoted = JSON.stringify(name)
    const dotted = name.replaceAll('/', '.')
    if (IPC_SYSCTLS.has(dotted) || dotted.startsWith('fs.mqueue.')) {
      if (!hasContainerIpc(hostConfig)) throw invalidArgument(`sysctl ${quoted} is not allowed in the hosts ipc namespace`)
    } else if (dotted.startsWith('net.')) {
      if (namespaceMode(hostConfig.networkMode).kind === 'host')
        throw invalidArgument(`sysctl ${quoted} not allowed in host network namespace`)
    } else if (dotted === 'kernel.hostname' && hostConfig.utsMode !== 'host') {
      throw invalidArgument(`sysctl ${quoted} is not allowed as it conflicts with the OCI "hostname" field`)
    } else if (dotted !== 'kernel.domainname' || hostConfig.utsMode === 'host') {
      throw invalidArgument(`sysctl ${quoted} is not in a separate kernel namespace`)
    }
  }
}

/**
 * Docker's defaults for a new network namespace, under the user's: ping without CAP_NET_RAW and ports below 1024 without CAP_NET_BIND_SERVICE; both
 * capabilities are in the default set anyway, so processes that are not root gain what root has.
 */
export function sysctls(hostConfig: HostConfig, host: Pick<HostFacts, 'sysctlExists'>): Record<string, string> {
  const defaults: Record<string, string> = {}
  if (hasOwnNetwork(hostConfig)) {
    if (host.sysctlExists('net.ipv4.ip_unprivileged_port_start')) defaults['net.ipv4.ip_unprivileged_port_start'] = '0'
    if (host.sysctlExists('net.ipv4.ping_group_range')) defaults['net.ipv4.ping_group_range'] = '0 2147483647'
  }
  return { ...defaults, ...hostConfig.sysctls }
}
