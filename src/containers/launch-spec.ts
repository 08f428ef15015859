import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf, invalidArgument } from '#errors'
import { planCgroup, type NetnsPlan } from '#kernel'
import type { RuntimeSpec } from '#oci'
import type { HoldSpec, LaunchSpec } from '#runtime'
import type { Context } from './context.ts'
import { injectDevices } from './device-requests.ts'
import { logSink } from './log-config.ts'
import { imageOverlays } from './mount-sources.ts'
import { generateSpec, namespaceMode, type SpecInput } from './spec/index.ts'
import { isActive, notRunning } from './state.ts'
import type { Container } from './types.ts'
import { lookUpUser } from './user-lookup.ts'

/** Everything the runtime needs to start `container`. Its files and mount sources are made already. */
export async function launchSpec(
  ctx: Context,
  container: Container,
  { stateDir, network, links }: { stateDir: string; network: NetnsPlan; links: readonly string[] },
): Promise<LaunchSpec> {
  const { deps } = ctx
  const { config, hostConfig, id } = container
  const { spec: plain, warnings } = runtimeSpec(ctx, withVariables(container, links), startUser(ctx, container))
  const spec = await injectDevices(deps.devices, plain, hostConfig.deviceRequests)
  for (const warning of warnings) deps.warn(warning, { container: id })
  // What a crash of the machine may take is only that of a container that would be removed anyway.
  const overlay = deps.snapshotter.overlay(id, { volatile: hostConfig.autoRemove })
  return {
    id,
    stateDir,
    spec,
    rootfs: { overlay },
    overlays: imageOverlays(ctx, container),
    cgroup: cgroupPlan(ctx, id, spec),
    network,
    stdio: { tty: config.tty, openStdin: config.openStdin, stdinOnce: config.stdinOnce, log: logSink(container) },
    init: hostConfig.init ?? deps.defaults().init,
    bundle: join(deps.paths.containerDirectory(id), 'bundle'),
  }
}

/** Variables of links go before the container's own, which win. They are those of this run, and not in the record. */
function withVariables(container: Container, links: readonly string[]): Container {
  return links.length === 0 ? container : { ...container, config: { ...container.config, env: [...links, ...container.config.env] } }
}

/** The spec of a container's root file system and mounts, for `Runtime.hold`. */
export function holdSpec(ctx: Context, container: Container): Omit<HoldSpec, 'stateDir'> {
  const user = { uid: 0, gid: 0, additionalGids: [], home: '/' }
  const { spec } = runtimeSpec(ctx, alone(container), user)
  // A container that was never started has no name files yet, and a bound directory may be gone by now: neither keeps the other files away.
  const mounts = spec.mounts.filter(({ source }) => !source.startsWith('/') || existsSync(source))
  return {
    id: container.id,
    spec: { ...spec, mounts },
    rootfs: { overlay: ctx.deps.snapshotter.overlay(container.id, { volatile: container.hostConfig.autoRemove }) },
    overlays: imageOverlays(ctx, container),
  }
}

/** Without the namespaces that it shares with others, where these do not matter: their owners may not run. */
export function alone(container: Container): Container {
  return { ...container, hostConfig: { ...container.hostConfig, networkMode: 'none', ipcMode: 'private', pidMode: '' } }
}

/** The specification of `container` as `user`, and what its making warned of. */
export function runtimeSpec(ctx: Context, container: Container, user: SpecInput['user']): { spec: RuntimeSpec; warnings: string[] } {
  const { deps } = ctx
  const { cgroupParent, noNewPrivileges, ulimits, defaultSeccomp } = deps.defaults()
  const { hostConfig } = container
  const shm = sharedMemory(ctx, container)
  const peers = {
    ...peer(ctx, 'ipc', hostConfig.ipcMode),
    ...peer(ctx, 'pid', hostConfig.pidMode),
    ...peer(ctx, 'network', hostConfig.networkMode),
  }
  return generateSpec({
    container,
    user,
    peers,
    ...(shm !== undefined && { shm }),
    defaults: { cgroupParent, noNewPrivileges, ulimits, defaultSeccomp },
    host: deps.host,
  })
}

function peer(ctx: Context, namespace: 'ipc' | 'pid' | 'network', mode: string): SpecInput['peers'] {
  const parsed = namespaceMode(mode)
  if (parsed.kind !== 'container') return {}
  const { state } = ctx.store.find(parsed.ref).record
  if (!isActive(state)) throw notRunning(parsed.ref)
  return { [namespace]: state.pid }
}

function sharedMemory(ctx: Context, container: Container): string | undefined {
  const { ipcMode } = container.hostConfig
  if (ipcMode === 'host') return '/dev/shm'
  if (ipcMode === 'shareable') return ctx.deps.paths.sharedMemory(container.id)
  const mode = namespaceMode(ipcMode)
  if (mode.kind !== 'container') return undefined
  const { id, record } = ctx.store.find(mode.ref)
  if (record.hostConfig.ipcMode === 'host') return '/dev/shm'
  if (record.hostConfig.ipcMode === 'shareable') return ctx.deps.paths.sharedMemory(id)
  throw invalidArgument(`can't join IPC of container ${id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`)
}

/** Limits and cgroup directories of a container; `update` and `pause` find them the same way. */
export function cgroupPlan(ctx: Context, id: string, spec: Pick<RuntimeSpec, 'linux'>): LaunchSpec['cgroup'] {
  const { cgroupsPath = '/', resources = {} } = spec.linux
  return planCgroup(ctx.deps.cgroups, { parent: dirname(cgroupsPath), id, resources })
}

function startUser(ctx: Context, container: Container): SpecInput['user'] {
  return lookUpUser(
    ctx.users.ofContainer(container.id, chainOf(ctx, container.imageId)),
    container.config.user,
    container.hostConfig.groupAdd,
  )
}

/** Top layer of the image; undefined without an image, and for one that was removed by force from below its containers. */
function chainOf(ctx: Context, imageId: string): ReturnType<typeof ctx.deps.images.get>['chain'] {
  if (imageId === '') return undefined
  try {
    return ctx.deps.images.get(imageId).chain
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND') return undefined
    throw error
  }
}
