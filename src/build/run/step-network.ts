import { mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { nameFileTexts } from '#containers'
import type { NetnsPlan } from '#kernel'
import type { Task } from '#runtime'
import type { ExecOp } from '../graph/types.ts'
import type { RunDeps } from './types.ts'

/** The same for all steps, so that a result does not tell when or where it was made. BuildKit's. */
export const DEFAULT_HOSTNAME = 'buildkitsandbox'

/** A step's place on its network, and the files that tell the step of it. */
export interface StepNetwork {
  plan: NetnsPlan
  /** Paths on the host. */
  files: { hostnamePath: string; hostsPath: string; resolvConfPath: string }
}

/**
 * The network of a step as `HostConfig.networkMode` has it: `bridge`, `none`, `host`, or a name. By what the network is, not by what it was called: a client that
 * names the host's network by its id gets no further than one that says `host`. Throws NOT_FOUND.
 */
export function networkModeOf({ networks }: Pick<RunDeps, 'networks'>, { network }: Pick<ExecOp, 'network'>): string {
  const { name, driver } = networks.get(typeof network === 'object' ? network.name : network === 'default' ? 'bridge' : network)
  if (driver === 'host') return 'host'
  return driver === 'null' ? 'none' : name
}

export function hostnameOf({ hostname }: Pick<ExecOp, 'hostname'>): string {
  return hostname === '' ? DEFAULT_HOSTNAME : hostname
}

/** Attaches the step `id`. `undo` gives addresses back, and takes the files away. `directory`: for them, on a disk; it does not exist yet, its parent is root's alone. */
export async function attachStep(
  { networks, defaults }: Pick<RunDeps, 'networks' | 'defaults'>,
  { id, op, mode, directory }: { id: string; op: Pick<ExecOp, 'hostname' | 'extraHosts'>; mode: string; directory: string },
  undo: AsyncDisposableStack,
): Promise<StepNetwork> {
  undo.defer(() => networks.release(id))
  // Without names: a step is nobody that others look for, and all steps have the same host name.
  const { plan, endpoints } = await networks.attach({
    containerId: id,
    containerName: '',
    hostname: '',
    ports: [],
    networks: { [mode]: {} },
  })
  const hostname = hostnameOf(op)
  const texts = nameFileTexts(
    { networks, defaults },
    {
      hostname,
      domainname: '',
      endpoints,
      sharesHostNetwork: mode === 'host',
      extraHosts: op.extraHosts.map(({ host, address }) => `${host}:${address}`),
      links: [],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
    },
  )
  // Attack: a step writes to its /etc/hosts without end. In the exec root, which is memory, that would take /run from the whole host.
  undo.defer(() => rm(directory, { recursive: true, force: true }))
  mkdirSync(directory, { mode: 0o711 })
  const write = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text, { mode: 0o644 })
    return path
  }
  return {
    plan,
    files: {
      hostnamePath: write('hostname', texts.hostname),
      hostsPath: write('hosts', texts.hosts),
      resolvConfPath: write('resolv.conf', texts.resolvConf),
    },
  }
}

/** Makes names be answered in a step on a user-defined network, between the creation of its process and the start of its program. */
export async function serveNames(
  { networks, defaults }: Pick<RunDeps, 'networks' | 'defaults'>,
  task: Task,
  undo: AsyncDisposableStack,
): Promise<void> {
  undo.defer(() => networks.stopNames(task.id))
  await networks.serveNames({ containerId: task.id, pid: task.hostPid, servers: defaults().dns })
}
