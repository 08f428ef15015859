import type { ImageUsers } from '#images'
import { readContainerArchive, statContainerPath, writeContainerArchive } from './archive/container-archive.ts'
import { attachContainer } from './attach.ts'
import { ContainerStore } from './container-store.ts'
import { containerChanges } from './changes.ts'
import { commitContainer } from './commit.ts'
import { containerLogs } from './container-logs.ts'
import type { ContainerDeps, Context } from './context.ts'
import { createContainer } from './create.ts'
import { createExec, getExec, resizeExec, startExec } from './exec.ts'
import { ExecStore } from './exec-store.ts'
import { exportContainer } from './export.ts'
import { archiveDeps } from './hold-files.ts'
import { killContainer } from './kill.ts'
import { listContainers } from './list.ts'
import { cgroupOf, pauseContainer, unpauseContainer } from './pause.ts'
import { connectNetwork, disconnectNetwork } from './network/connect-network.ts'
import { withLinkNames } from './network/links.ts'
import { pruneContainers } from './prune.ts'
import { publishEvent } from './publish-event.ts'
import { autoRemove, removeContainer } from './remove.ts'
import { renameContainer } from './rename.ts'
import { resizeContainer } from './resize.ts'
import { restoreContainers } from './restore.ts'
import { isActive } from './state.ts'
import { containerStats } from './stats.ts'
import { startContainer, startLocked } from './start.ts'
import { restartContainer, stopContainer } from './stop.ts'
import { containerTop } from './container-top.ts'
import type { Container, ContainerService } from './types.ts'
import { updateContainer } from './update.ts'
import { RecentEndings } from './recent-endings.ts'
import { UserDirectory } from './user-directory.ts'
import { containerUsage, layerDirectories } from './usage.ts'
import { waitContainer } from './wait.ts'

/** The service over its phases. Nothing happens before `restore`. */
export function createContainerService(deps: ContainerDeps): ContainerService & ImageUsers {
  const store = new ContainerStore(deps.metadata)
  const ctx: Context = {
    deps,
    store,
    execs: new ExecStore(deps.clock),
    users: new UserDirectory(deps.files, deps.snapshotter),
    endings: new RecentEndings(deps.clock),
    closing: false,
    phases: {
      startLocked: (entry) => startLocked(ctx, entry),
      autoRemove: (entry) => autoRemove(ctx, entry),
    },
  }
  const archive = archiveDeps(ctx)
  return {
    get: (ref) => withLinkNames(ctx, store.find(ref).record),
    list: (options) =>
      listContainers(options, {
        containers: store.all().map(({ record }) => record),
        find: (ref) => store.find(ref).record,
        images: deps.images,
        usage: (id) => containerUsage(ctx, id),
        now: deps.clock.now(),
      }),
    create: (request) => createContainer(ctx, request),
    start: (ref) => startContainer(ctx, ref),
    stop: (ref, options) => stopContainer(ctx, ref, options),
    restart: (ref, options) => restartContainer(ctx, ref, options),
    kill: (ref, signal) => killContainer(ctx, ref, signal),
    wait: async (ref, condition, signal) => waitContainer(ctx, ref, condition, signal),
    attach: (ref, request) => attachContainer(ctx, ref, request),
    logs: async (ref, options, signal) => containerLogs(ctx, ref, options, signal),
    resize: (ref, height, width) => resizeContainer(ctx, ref, height, width),
    remove: (ref, options) => removeContainer(ctx, ref, options),
    pause: (ref) => pauseContainer(ctx, ref),
    unpause: (ref) => unpauseContainer(ctx, ref),
    rename: (ref, name) => renameContainer(ctx, ref, name),
    connectNetwork: (ref, network, endpoint) => connectNetwork(ctx, ref, network, endpoint),
    disconnectNetwork: (ref, network, options) => disconnectNetwork(ctx, ref, network, options),
    update: (ref, request) => updateContainer(ctx, ref, request),
    top: (ref, psArgs) => containerTop(ctx, ref, psArgs),
    prune: (filters) => pruneContainers(ctx, filters),
    stats: (ref, options, signal) => {
      const entry = store.find(ref)
      const current = (): Container | undefined => (entry.removed ? undefined : entry.record)
      return containerStats(options, { current, location: (container) => cgroupOf(ctx, container), clock: deps.clock }, signal)
    },
    statPath: (ref, path) => statContainerPath(archive, store.find(ref).record, { ref, path }),
    readArchive: async (ref, path) => {
      const { record } = store.find(ref)
      const result = await readContainerArchive(archive, record, { ref, path })
      publishEvent(ctx, record, 'archive-path')
      return result
    },
    writeArchive: async (ref, path, tar, options) => {
      const { record } = store.find(ref)
      await writeContainerArchive(archive, record, { ref, path }, tar, options)
      publishEvent(ctx, record, 'extract-to-dir')
    },
    changes: (ref) => containerChanges(ctx, ref),
    export: (ref) => exportContainer(ctx, ref),
    commit: (ref, options) => commitContainer(ctx, ref, options),
    usersOf: (image) =>
      store
        .allAndComing()
        .filter(
          ({ record }) => record.imageId === image || record.mounts.some(({ type, spec }) => type === 'image' && spec.source === image),
        )
        .map(({ id, record }) => ({ id, running: isActive(record.state) })),
    usage: (ref) => containerUsage(ctx, ref),
    directories: (ref) => layerDirectories(ctx, ref),
    createExec: async (ref, request) => createExec(ctx, ref, request),
    getExec: (id) => getExec(ctx, id),
    startExec: (id, options) => startExec(ctx, id, options),
    resizeExec: (id, height, width) => resizeExec(ctx, id, height, width),
    restore: () => restoreContainers(ctx),
    close: async () => {
      ctx.closing = true
      for (const entry of store.all()) {
        entry.health?.[Symbol.dispose]()
        entry.restartTimer?.[Symbol.dispose]()
      }
    },
  }
}
