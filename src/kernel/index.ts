/**
 * All Linux: the only module that knows `node:ffi`. What the kernel offers and node does not is called from here, each concern behind one
 * small object with a recording fake, so that everything above is tested without root.
 *
 * - {@link Files}: paths inside hostile trees, device nodes, extended attributes, sparse files.
 * - {@link Mounts}: mount, unmount, detached overlays.
 * - {@link RouteNetlink}, {@link Nftables}, {@link Conntrack}: links, addresses, routes, firewall tables, connections. Requests are data first
 *   (`encode…`, `NftOperation`), sent in one piece; sockets belong to the network namespace of the thread that opened them.
 * - {@link Sysctls}, {@link PortProbe}, {@link inNetworkNamespace}.
 * - Cgroups v1 and v2: `detectCgroupLayout` once, `prepareCgroupParent` per parent, `cgroupSupport` for what can be limited; then `planCgroup` (pure) per
 *   start, with `createCgroupDevices().attach` on v2; `updateCgroup`, `readCgroupStats`, `freezeCgroup`, `killCgroup`, `removeCgroup` by location; `removeEmptyCgroups` for parents.
 * - Signals by name and number: `parseSignal`.
 * - Capabilities and seccomp: `containerCapabilities`, `resolveProfile`, `compileSeccomp`, all pure; `createSeccompFilters` remembers.
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
export type { Conntrack, FilePath, Files, Mounts, NetworkNamespaces, Nftables, PortProbe, RouteNetlink, Sysctls } from './types.ts'
export { createFiles } from './files.ts'
export { createMounts, overlayOptions } from './mounts.ts'
export { createNetworkNamespaces, inNetworkNamespace } from './namespaces.ts'
export { parseSignal, requireKnownSignal, SIGKILL, SIGTERM } from './signals.ts'
export { createSysctls } from './sysctls.ts'
export { ownDescriptor } from './own-descriptor.ts'
export { createPortProbe } from './port-probe.ts'
export { createNamespaceSockets, type NamespaceOpener, type NamespaceSockets } from './namespace-sockets.ts'
export type { SocketRequest } from './open-socket.ts'
export { MessageWriter } from './netlink/message.ts'
export {
  encodeDeleteAddress,
  encodeDeleteLink,
  encodeDeleteRoute,
  encodeNewAddress,
  encodeNewBridge,
  encodeNewRoute,
  encodeNewVeth,
  encodeSetBridgePort,
  encodeSetLink,
  type AddressInfo,
  type LinkInfo,
  type LinkTarget,
  type Route,
  type RouteInfo,
  type VethPair,
} from './netlink/route-messages.ts'
export {
  encodeNewDummy,
  encodeNewSubLink,
  encodeNewVlan,
  IPVLAN_FLAGS,
  IPVLAN_MODES,
  MACVLAN_MODES,
  type SubLink,
  type SubLinkKind,
} from './netlink/link-messages.ts'
export { openRouteNetlink } from './netlink/route-netlink.ts'
export { openConntrack, type Flow } from './netlink/conntrack.ts'
export { openNftables } from './nftables/nftables.ts'
export type { NftDatatype, NftElement, NftExpression, NftFamily, NftHook, NftOperation, NftTable } from './nftables/operations.ts'
export { createFakeConntrack } from './fake/fake-conntrack.ts'
export { createFakeFiles, type FileCall } from './fake/fake-files.ts'
export { createFakeMounts, type MountCall } from './fake/fake-mounts.ts'
export { createFakeNetworkNamespaces } from './fake/fake-network-namespaces.ts'
export { createFakeNftables } from './fake/fake-nftables.ts'
export { createFakeRouteNetlink } from './fake/fake-route-netlink.ts'
export { createFakeSysctls } from './fake/fake-sysctls.ts'
export { FULL_CGROUP_SUPPORT } from './fake/full-cgroup-support.ts'
export { availableCapabilities, CAPABILITIES, containerCapabilities, DEFAULT_CAPABILITIES, normalizeCapabilities } from './capabilities.ts'
export { compileSeccomp } from './seccomp/compile.ts'
export { decodeProfile, resolveProfile, type Profile, type ProfileHost } from './seccomp/profile.ts'
export { DEFAULT_PROFILE } from './seccomp/default-profile.ts'
export { createSeccompFilters, type SeccompFilters } from './seccomp/filters.ts'
export type { Machine } from './seccomp/architectures.ts'
export { parseMountinfo, type MountinfoEntry } from './mountinfo.ts'
export { detectCgroupLayout, directoriesOf, locateCgroup, type CgroupLayout, type CgroupLocation } from './cgroups/layout.ts'
export { planCgroup, type CgroupRequest } from './cgroups/plan.ts'
export { prepareCgroupParent } from './cgroups/prepare.ts'
export { cgroupSupport, type CgroupSupport } from './cgroups/support.ts'
export { createCgroupDevices, type CgroupDevices } from './cgroups/device-attach.ts'
export { freezeCgroup, thawCgroup } from './cgroups/freezer.ts'
export { killCgroup, listCgroupPids } from './cgroups/processes.ts'
export type { BlkioEntry, CgroupStats } from './cgroups/stats-types.ts'
export { readCgroupStats, readHostCpu } from './cgroups/stats.ts'
export { removeCgroup, removeEmptyCgroups } from './cgroups/remove.ts'
export { updateCgroup } from './cgroups/update.ts'
