/**
 * All Linux: the only module that knows `node:ffi`. What the kernel offers and node does not is called from here, each concern behind one
 * small object with a recording fake, so that everything above is tested without root.
 *
 * - {@link Files}: paths inside hostile trees, device nodes, extended attributes, sparse files.
 * - {@link Mounts}: mount, unmount, detached overlays.
 *
 * Lifecycle: `createX()` costs microseconds and opens nothing; make one per thread (errno is per thread), so a worker makes its own. Descriptors
 * and mounts come back as Disposables for `using`. Failures are `SyscallError`; who knows what a failure means turns it into an `EngineError`.
 *
 * ```ts
 * const files = createFiles()
 * using root = files.openRoot('/var/lib/gantry/layers/7/diff')
 * const fd = files.openInRoot(root.fd, 'etc/passwd', constants.O_RDONLY) // a link to /etc/passwd of the host leads to the layer's own
 * ```
 */
export type * from './plans.ts'
export type { Files, Mounts } from './types.ts'
export { createFiles } from './files.ts'
export { createMounts } from './mounts.ts'
export { createFakeFiles, type FileCall } from './fake/fake-files.ts'
export { createFakeMounts, type MountCall } from './fake/fake-mounts.ts'
export { availableCapabilities, CAPABILITIES, containerCapabilities, DEFAULT_CAPABILITIES, normalizeCapabilities } from './capabilities.ts'
export { compileSeccomp } from './seccomp/compile.ts'
export { decodeProfile, resolveProfile, type Profile, type ProfileHost } from './seccomp/profile.ts'
export { DEFAULT_PROFILE } from './seccomp/default-profile.ts'
export { createSeccompFilters, type SeccompFilters } from './seccomp/filters.ts'
export type { Machine } from './seccomp/architectures.ts'
export { detectCgroupLayout, locateCgroup, type CgroupLayout, type CgroupLocation } from './cgroups/layout.ts'
export { planCgroup, type CgroupRequest } from './cgroups/plan.ts'
export { prepareCgroupParent } from './cgroups/prepare.ts'
