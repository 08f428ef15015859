/**
 * The container: its record, its life, and everything the API does with it.
 *
 * Life: `create` makes record, writable layer, volumes; `start` makes the process; the exit settles the record; `remove` takes all of it away.
 * One file per phase: `create`, `start`, `exit`, `stop`, `kill`, `pause`, `update`, `rename`, `remove`, `prune`; beside them what is asked of a
 * container: `attach`, `exec`, `health`, `wait`, `container-logs`, `list`, `stats`, `archive/`. `network/` puts a container on its networks, at the start
 * and while it runs, and writes the names it has there. `state.ts` has the one function that changes a state; `spec/` turns a record into the OCI
 * runtime specification.
 *
 * ```
 *            start                    exit, no restart
 *  created ────────▶ running ◀──────▶ paused ─────┐
 *     │                 │ exit, policy            ▼
 *     │                 ├────────▶ restarting ─▶ exited ──▶ (start)
 *     └───────────────────────▶ removing ◀────────┘
 *                                  └─▶ dead (a removal that failed) ──▶ removing
 * ```
 *
 * Rules that hold everywhere:
 * - One change of a container at a time (`ContainerEntry.mutex`); the exit of its process is a change too.
 * - Intent before effect, effect before result: a row says what is about to be made or removed, so that `restore` can finish or undo it after
 *   a daemon was killed at any moment. `restore.ts` has the table of cases.
 * - Records are values. A record that was handed out never changes.
 *
 * A program that is run like a container without being one (a step of a build) has its limits checked by `verifyResources`, its specification from `programSpec`,
 * its user from `UserDirectory` and `lookUpUser`, the files with its names from `nameFileTexts`, and the words for a start that fails from `startFailure`: so it is
 * confined, limited and connected exactly as a container. Its tests take `SAMPLE_DEFAULTS` for the daemon's settings.
 *
 * Glossary: *entry*, a container in memory: record plus what dies with the daemon; *run*, one life of its process; *task*, that process as the
 * runtime shows it; *settle*, to bring an exit into the record and give back what the run held.
 *
 * ```ts
 * const containers = createContainerService(deps)
 * await containers.restore()
 * const { id } = await containers.create({ name: 'web', platform: '', config: { image: 'nginx' }, hostConfig: {}, networks: {} })
 * const { result } = await containers.wait(id, 'next-exit')
 * await containers.start(id)
 * const { exitCode } = await result
 * ```
 */
export { resolveLinks } from './archive/container-path.ts'
export { recordedContainerIds } from './container-store.ts'
export { EMPTY_HOST_CONFIG } from './empty-host-config.ts'
export { createContainerService } from './service.ts'
export { probeHostFacts, type HostFacts } from './spec/index.ts'
export { nameFileTexts, type NameFilesRequest } from './network/name-files.ts'
export { programSpec, type ProgramRequest } from './program-spec.ts'
export { discardTask } from './start.ts'
export { describeLaunchError, startFailure } from './start-error.ts'
export { verifyResources } from './verify-config.ts'
export { SAMPLE_DEFAULTS } from './testing/sample-defaults.ts'
export { UserDirectory } from './user-directory.ts'
export { lookUpUser, type ResolvedUser, type UserFiles } from './user-lookup.ts'
export type { CgroupControl, Clock, ContainerDefaults, ContainerDeps, ContainerPaths } from './context.ts'
export type {
  ContainerConfig,
  DeviceRequest,
  Healthcheck,
  HostConfig,
  MountRequest,
  MountType,
  Resources,
  RestartPolicyName,
  ThrottleRequest,
} from './configuration.ts'
export type {
  AttachedIo,
  AttachRequest,
  CommitRequest,
  Container,
  ContainerLink,
  ContainerNetwork,
  ContainerService,
  ContainerState,
  ContainerSummary,
  CreateRequest,
  Exec,
  ExecRequest,
  Health,
  HealthResult,
  ListFilters,
  MountPoint,
  PathStat,
  StatsSample,
  UpdateRequest,
  WaitResult,
} from './types.ts'
