/**
 * Volumes: directories that outlive containers. The driver `local` keeps them itself; other drivers are plugins of the Docker plugin protocol.
 *
 * On disk: `<directory>/<name>/_data`, with a row per volume in the metadata. Removal renames first (`.removed-…`) and deletes after, so a crash
 * never leaves half a volume under its name; `restore` deletes the rest.
 *
 * Lifecycle of a volume: `create` (idempotent), `reference` by each container that has it, `populate` once with the image's content while it is
 * empty, `activate` before a container runs and `deactivate` after, `dereference` when the container is removed, `remove` or `prune` when nobody
 * has it. A volume with a `device` option (bind, tmpfs, nfs … as for mount(8)) is mounted while somebody is active; the mount survives the daemon, and
 * the next daemon finds it in the mount table. A plugin mounts and unmounts its volumes itself, once for each container; which those are is in the row.
 *
 * Glossary: *user*, a container that has the volume, running or not; *active*, one that runs; *anonymous*, made for a container without a name of
 * its own, removed with it by `rm -v` and `--rm`; *idmap*, owners on the disk as a container is to see them.
 *
 * ```ts
 * const volumes = createVolumeService({ directory: '/var/lib/gantry/volumes', repository: metadata.repository('volumes'), files, mounts })
 * await volumes.restore()
 * const { volume } = await volumes.create({ name: 'data', driver: '', options: {}, labels: {}, reference: containerId })
 * await volumes.populate('data', '/proc/self/fd/23')
 * const source = await volumes.activate('data', containerId)
 * ```
 */
export { parseIdMap, type IdMap, type IdRange } from './id-map.ts'
export type { PluginDirectories } from './plugins/find-plugins.ts'
export { createVolumeService, type VolumeDeps, type VolumeRow } from './volume-service.ts'
export type { CreateVolumeRequest, Volume, VolumeService } from './types.ts'
