import { closeSync, constants, fstatSync, mkdirSync, rmSync } from 'node:fs'
import { hostname as hostName } from 'node:os'
import { join } from 'node:path'
import { codeOf, invalidArgument, SyscallError } from '#errors'
import type { Image } from '#images'
import { formatNano, randomId, shortId } from '#lib'
import { completeHostConfig } from './complete-host-config.ts'
import type { Context } from './context.ts'
import { foreignImageWarning } from './foreign-image.ts'
import { verifyLogConfig } from './log-config.ts'
import { commandOf, mergeConfig } from './merge-config.ts'
import { requestedNetworks } from './network/connect-network.ts'
import { nameFilePaths } from './network/name-files.ts'
import { resolveLinks } from './network/links.ts'
import { makeImagePlace, requireSource } from './mount-sources.ts'
import { planMounts, type PlannedMount } from './mount-points.ts'
import { publishEvent } from './publish-event.ts'
import { discardUnsupported, verifySpecOptions } from './spec/index.ts'
import type { ContainerConfig, HostConfig } from './configuration.ts'
import type { Container, ContainerLink, CreateRequest } from './types.ts'
import { networkOf, verifyCreate } from './verify-config.ts'

/**
 * Makes a container: everything but its process.
 *
 * Crash-safe: the intent row comes first and names all that will be made, the row of the finished container comes last; `restore` clears away
 * what a `creating` row names. Nothing is left when a step fails.
 */
export async function createContainer(ctx: Context, request: CreateRequest): Promise<{ id: string; warnings: string[] }> {
  const { deps, store } = ctx
  const defaults = deps.defaults()
  const { limits: host, warnings } = discardUnsupported(completeHostConfig(request.hostConfig, defaults, deps.host), deps.support)
  const ref = request.config.image ?? ''
  // Another platform is another image, which is unpacked now if it never was. Looked up again after that: from here to the row that keeps the
  // image nothing waits, so that nobody can remove it.
  const found = ref === '' || request.platform === '' ? ref : (await deps.images.resolve(ref, request.platform)).id
  const image = found === '' ? undefined : deps.images.get(found)
  const foreign = image === undefined || request.platform !== '' ? undefined : foreignImageWarning(image, deps.host.machine)
  if (foreign !== undefined) warnings.push(foreign)
  const config = mergeConfig(request.config, image?.config.config)
  warnings.push(...verifyCreate(config, host, defaults))
  verifySpecOptions(host, deps.host)
  verifyLogConfig(host.logConfig)
  const peer = (name: string): Container => store.find(name).record
  pinPeers(host, peer)
  const networks = requestedNetworks(ctx, networksAskedFor(config, host, request))
  const links = resolveLinks(host, peer)
  const planned = planMounts(
    config,
    host,
    (ref) => peerOf(ref, peer),
    (ref) => mountedImage(ctx, ref),
  )

  const id = randomId()
  completeHostname(config, host, id)
  const name = request.name === '' ? store.names.invent(id) : store.names.claim(request.name, id)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => store.names.release(name, id))
  const record = newRecord(ctx, { id, name, config, host, image, networks, links, planned })
  const entry = store.insert(record)
  undo.defer(() => store.delete(entry))

  const directory = deps.paths.containerDirectory(id)
  mkdirSync(directory, { mode: 0o710 })
  undo.defer(() => rmSync(directory, { recursive: true, force: true }))
  await deps.snapshotter.prepare(id, image?.chain)
  undo.defer(() => deps.snapshotter.remove(id))
  const mounts = await createVolumes(ctx, record, planned, image, undo)
  store.publish(entry, { ...record, mounts })
  undo.move()
  publishEvent(ctx, entry.record, 'create')
  return { id, warnings }
}

/** `container:<name>` becomes `container:<id>`: a rename of the other must not change whose namespaces are meant. */
function pinPeers(host: HostConfig, peer: (ref: string) => Container): void {
  for (const mode of ['networkMode', 'ipcMode', 'pidMode'] as const) {
    const [kind, ref = ''] = split(host[mode])
    if (kind === 'container') host[mode] = `container:${peerOf(ref, peer).id}`
  }
}

function peerOf(ref: string, find: (ref: string) => Container): Container {
  return withoutNotFound(() => find(ref))
}

function mountedImage({ deps }: Context, ref: string): string {
  return withoutNotFound(() => deps.images.get(ref)).id
}

/** Clients take NOT_FOUND for the missing image of the container and begin to pull that. */
function withoutNotFound<T>(find: () => T): T {
  try {
    return find()
  } catch (error) {
    throw codeOf(error) === 'NOT_FOUND' ? invalidArgument((error as Error).message, error) : error
  }
}

function split(mode: string): [string, string?] {
  const at = mode.indexOf(':')
  return at < 0 ? [mode] : [mode.slice(0, at), mode.slice(at + 1)]
}

function completeHostname(config: ContainerConfig, host: HostConfig, id: string): void {
  if (config.hostname !== '') {
    if (config.hostname.length > 64 || /[\s/]/.test(config.hostname)) throw invalidArgument(`invalid hostname: ${config.hostname}`)
    return
  }
  const network = networkOf(host)
  if (network === 'host' || host.utsMode === 'host') config.hostname = hostName()
  else if (network !== 'container') config.hostname = shortId(id)
}

/** Without an endpoint of its own the mode's network is the one it joins. */
function networksAskedFor(config: ContainerConfig, host: HostConfig, { networks }: CreateRequest): CreateRequest['networks'] {
  const mode = networkOf(host)
  if (mode === 'container') return {}
  if (config.networkDisabled || Object.keys(networks).length > 0) return networks
  return { [mode === 'default' ? 'bridge' : mode]: {} }
}

function newRecord(
  ctx: Context,
  made: {
    id: string
    name: string
    config: ContainerConfig
    host: HostConfig
    image: Image | undefined
    networks: Container['networks']
    links: ContainerLink[]
    planned: PlannedMount[]
  },
): Container {
  const { id, name, config, host, image, networks, links, planned } = made
  const directory = ctx.deps.paths.containerDirectory(id)
  return {
    id,
    name,
    created: formatNano(ctx.deps.clock.now()),
    ...commandOf(config),
    imageId: image?.id ?? '',
    config,
    hostConfig: host,
    networks,
    ...(links.length > 0 && { links }),
    state: { status: 'created' },
    endpoints: [],
    mounts: planned.map(({ point }) => point),
    restartCount: 0,
    hasBeenStartedBefore: false,
    hasBeenManuallyStopped: false,
    platform: image?.config.os ?? 'linux',
    logPath: host.logConfig.type === 'json-file' ? join(directory, `${id}-json.log`) : '',
    ...nameFilePaths(directory),
    apparmorProfile: '',
    execIds: [],
  }
}

/** Makes the volumes, counts the container as their user, fills the empty ones from the image. Returns the mounts with their sources. */
async function createVolumes(
  ctx: Context,
  record: Container,
  planned: readonly PlannedMount[],
  image: Image | undefined,
  undo: AsyncDisposableStack,
): Promise<Container['mounts']> {
  const { volumes } = ctx.deps
  const mounts: Container['mounts'] = []
  for (const [index, { point, copy }] of planned.entries()) {
    // What `-v` may make is made at the start; what `--mount` needs has to be there.
    if (point.type === 'bind' && !point.spec.bind?.createMountpoint) await requireSource(point.source, false)
    if (point.type === 'image') {
      mounts.push({ ...point, source: makeImagePlace(ctx, record.id, index) })
      continue
    }
    if (point.type !== 'volume') {
      mounts.push(point)
      continue
    }
    const anonymous = point.spec.source === ''
    const { driverOptions = {}, labels = {} } = point.spec.volume ?? {}
    const { volume, created } = await volumes.create({
      name: point.name,
      driver: point.driver,
      options: driverOptions,
      labels,
      anonymous,
      reference: record.id,
    })
    // Undo runs backwards: first no longer used, then removed.
    if (created && anonymous) undo.defer(async () => void (await volumes.remove(point.name, { force: true })))
    undo.defer(() => volumes.dereference(point.name, record.id))
    if (copy && image?.chain !== undefined) await copyUp(ctx, image.chain, point)
    const { idmap } = volume.options
    mounts.push({ ...point, driver: volume.driver, source: volume.mountpoint, ...(idmap !== undefined && { idmap }) })
  }
  return mounts
}

/** An empty volume starts with what the image has at its path. */
async function copyUp(ctx: Context, chain: NonNullable<Image['chain']>, point: PlannedMount['point']): Promise<void> {
  const { name, destination: path, spec } = point
  const { snapshotter, files, volumes } = ctx.deps
  using view = snapshotter.view({ chain })
  let fd: number
  try {
    // The image is hostile: the path must not lead out of it by a symlink.
    fd = files.openInRoot(view.fd, path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof SyscallError) return
    throw error
  }
  try {
    if (!fstatSync(fd).isDirectory()) throw invalidArgument(`cannot mount volume over existing file, file exists ${path}`)
    await volumes.populate(name, `/proc/self/fd/${fd}`, spec.volume?.subpath)
  } finally {
    closeSync(fd)
  }
}
