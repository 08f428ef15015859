/**
 * From a container's record to the OCI runtime specification, as Docker makes it.
 *
 * ```
 * generateSpec(input: SpecInput): { spec: RuntimeSpec; warnings: string[] }     pure; at every start
 * verifySpecOptions(hostConfig: HostConfig, host: HostFacts): void              pure; at create: capabilities, security options, sysctls, ulimits, devices, tmpfs
 * discardUnsupported(limits: Resources, support: CgroupSupport): { limits: Resources; warnings: string[] }   pure; at create and update
 * resources(limits: Resources, host: HostFacts): ResourcesSpec                  pure; for `update` (generateSpec calls it for starts)
 * probeHostFacts(): HostFacts                                                   reads the machine; once per daemon
 * ```
 *
 * What flows where: the record, the resolved user and the pids of joined containers go in; the spec goes to `Runtime.create`, and its
 * `linux.resources` and `linux.cgroupsPath` to `planCgroup`. Mount points must have their host sources already (volumes made, bind sources existing).
 *
 * ```ts
 * const host = probeHostFacts()
 * const filters = createSeccompFilters({ profile: DEFAULT_PROFILE, machine: host.machine, kernel: host.kernel })
 * const { spec } = generateSpec({
 *   container, user, peers: {}, host,
 *   defaults: { cgroupParent: '/gantry', noNewPrivileges: false, ulimits: [], defaultSeccomp: filters.defaultFor },
 * })
 * const cgroup = planCgroup(layout, { parent: dirname(spec.linux.cgroupsPath), id: container.id, resources: spec.linux.resources })
 * ```
 *
 * Conventions of the result beyond the OCI text: rlimits of -1 are RLIM_INFINITY; a bind that is read-only with everything below it has the option
 * `rro` (mount_setattr(2) with AT_RECURSIVE); nodes of the minimal /dev (null, zero, full, random, urandom, tty, ptmx, console) are the runtime's to make;
 * `--init` is no part of the spec but `LaunchSpec.init`.
 */
export { DEFAULT_READONLY_PATHS, defaultMaskedPaths } from './default-mounts.ts'
export { discardUnsupported } from './discard-unsupported.ts'
export { mergeEnvironment, processEnvironment } from './environment.ts'
export { generateSpec } from './generate-spec.ts'
export { probeHostFacts } from './host-facts.ts'
export { hasOwnNetwork, namespaceMode, type NamespaceMode } from './namespaces.ts'
export { resources } from './resources.ts'
export { parseSecurityOptions, type SecurityOptions } from './security-options.ts'
export type { HostFacts, SpecDefaults, SpecInput } from './spec-input.ts'
export { verifySpecOptions } from './verify-spec-options.ts'
