/**
 * Steps that run programs: `RUN`, and containers in which a person looks at what a step has left.
 *
 * A step is a container that nobody sees: the same launch, the same confinement, networks and limits, without a record. Its writable layer becomes a draft
 * (`DraftLayers.commitStep`); its mounts (`step-mounts.ts`) leave no trace in it, for the mount points that its root file system lacks lie in a layer between
 * (`mount-stubs.ts`). Secrets are files for the time of the launch only; the client's SSH agent is a socket for as long as the step runs.
 *
 * ```
 * <exec root>/steps/<id>/task/          monitor socket, where the root is mounted in the step's own mount namespace
 *                       /secrets/       until the program starts
 *                       /agent-0.sock   where the client's agent answers
 *                       /mount-0/       where a file system is mounted in the step's mount namespace
 * <data root>/build/stubs/<id>/         mount points that the root file system lacks
 *                  /stubs/<id>.names/   hosts, hostname, resolv.conf
 *                  /cache-mounts/<id>/  outlive the steps that use them
 * ```
 *
 * A daemon that is killed leaves its steps running, as containers are meant to be left; `restoreSteps` of the next one ends them.
 *
 * Glossary: *sandbox*, a program that waits for its start in everything that a step has; *stub*, a mount point made for a step; *output*, a file system that a
 * step leaves.
 *
 * ```ts
 * const deps: RunDeps = { runtime, snapshotter, networks, …, cacheMounts: createCacheMounts({ … }) }
 * await restoreSteps(deps)                       // before snapshots, networks and containers are restored
 * await deps.cacheMounts.restore()
 * const runner = createExecRunner(deps)
 * const [{ chain }] = await runner.run(inputs, step)
 * ```
 */
export { createCacheMounts, type CacheMountRow, type CacheMountsDeps } from './cache-mounts.ts'
export { createDebugContainers } from './debug-container.ts'
export { createExecRunner } from './exec-runner.ts'
export { runnablePlatforms } from './platforms.ts'
export { restoreSteps } from './restore-steps.ts'
export type { CacheMountRequest, CacheMounts, RunDeps, RunPaths } from './types.ts'
