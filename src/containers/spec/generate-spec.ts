/** `generateSpec`: a container's record becomes the OCI runtime specification. Pure; see `index.ts` for the manual. */

import { join } from 'node:path'
import { containerCapabilities } from '#kernel'
import type { LinuxSpec, ProcessSpec, RuntimeSpec } from '#oci'
import type { HostConfig } from '../configuration.ts'
import { DEFAULT_READONLY_PATHS, defaultMaskedPaths } from './default-mounts.ts'
import { devices } from './devices.ts'
import { processEnvironment } from './environment.ts'
import { planMountList } from './mounts.ts'
import { namespaces } from './namespaces.ts'
import { resources } from './resources.ts'
import { containerSeccomp } from './seccomp.ts'
import { parseSecurityOptions, type SecurityOptions } from './security-options.ts'
import type { HostFacts, SpecInput } from './spec-input.ts'
import { sysctls, verifySysctls } from './sysctls.ts'
import { rlimits } from './ulimits.ts'

/** Version of the specification the result follows. */
const OCI_VERSION = '1.2.1'

/** Throws INVALID_ARGUMENT with Docker's texts. `warnings` are for the daemon's log: a start has no place to show them. */
export function generateSpec(input: SpecInput): { spec: RuntimeSpec; warnings: string[] } {
  const { container, host, defaults } = input
  const { config, hostConfig } = container
  const security = parseSecurityOptions(hostConfig.securityOpt, defaults)
  const capabilities = containerCapabilities(
    { add: hostConfig.capAdd, drop: hostConfig.capDrop, privileged: hostConfig.privileged },
    host.capabilities,
  )
  const limits = rlimits(hostConfig.ulimits, defaults.ulimits, host.hardLimits)
  const mounts = planMountList(input, security)
  const spec: RuntimeSpec = {
    ociVersion: OCI_VERSION,
    process: {
      ...processOf(input, security),
      capabilities: capabilitySets(capabilities, input.user.uid),
      rlimits: limits.rlimits,
    },
    root: { path: input.rootfs ?? 'rootfs', readonly: hostConfig.readonlyRootfs },
    ...(hostConfig.utsMode !== 'host' && { hostname: config.hostname }),
    ...(hostConfig.utsMode !== 'host' && config.domainname !== '' && { domainname: config.domainname }),
    mounts: mounts.mounts,
    annotations: hostConfig.annotations,
    linux: linuxOf(input, security, capabilities, mounts.rootfsPropagation),
  }
  return { spec, warnings: limits.warnings }
}

function processOf({ container, user, host }: SpecInput, security: SecurityOptions): ProcessSpec {
  const { config, hostConfig } = container
  const [height, width] = hostConfig.consoleSize
  const profile = apparmorProfile(security.apparmor ?? container.apparmorProfile, hostConfig.privileged, host)
  return {
    terminal: config.tty,
    ...(config.tty && height > 0 && width > 0 && { consoleSize: { height, width } }),
    // As Docker: the primary group is among the supplementary ones.
    user: { uid: user.uid, gid: user.gid, additionalGids: [...new Set([user.gid, ...user.additionalGids])] },
    args: [container.path, ...container.args],
    env: processEnvironment({ env: config.env, hostname: config.hostname, tty: config.tty, home: user.home }),
    cwd: config.workingDir === '' ? '/' : config.workingDir,
    noNewPrivileges: security.noNewPrivileges,
    oomScoreAdj: hostConfig.oomScoreAdj,
    ...(profile !== undefined && { apparmorProfile: profile }),
  }
}

/** Without AppArmor in the kernel a profile has no effect, as with Docker. */
function apparmorProfile(wanted: string, privileged: boolean, host: HostFacts): string | undefined {
  if (!host.apparmor) return undefined
  if (wanted !== '') return wanted
  return privileged ? 'unconfined' : undefined
}

/**
 * A user other than root starts with none in use, as execve(2) would leave it; the bounding set lets setuid programs have them. Inheritable and ambient
 * stay empty: with them a file capability would survive into programs that were not meant to have it (CVE-2022-24769).
 */
function capabilitySets(capabilities: string[], uid: number): NonNullable<ProcessSpec['capabilities']> {
  const used = uid === 0 ? capabilities : []
  return { bounding: capabilities, effective: used, permitted: used, inheritable: [], ambient: [] }
}

function linuxOf(
  input: SpecInput,
  security: SecurityOptions,
  capabilities: readonly string[],
  rootfsPropagation: LinuxSpec['rootfsPropagation'],
): LinuxSpec {
  const { container, host, defaults, peers } = input
  const { hostConfig } = container
  verifySysctls(hostConfig)
  const deviceAccess = devices(hostConfig, host)
  const seccomp = containerSeccomp(security.seccomp, { privileged: hostConfig.privileged, capabilities }, defaults, host)
  const parent = hostConfig.cgroupParent === '' ? defaults.cgroupParent : hostConfig.cgroupParent
  return {
    namespaces: namespaces(hostConfig, peers),
    devices: deviceAccess.devices,
    sysctl: sysctls(hostConfig, host),
    ...(seccomp !== undefined && { seccomp }),
    ...(rootfsPropagation !== undefined && { rootfsPropagation }),
    ...protectedPaths(hostConfig, host),
    cgroupsPath: join('/', parent, container.id),
    resources: { ...resources(hostConfig, host), devices: deviceAccess.rules },
  }
}

/** A list in the record counts even when it is empty or the container privileged (`--security-opt systempaths=unconfined`). */
function protectedPaths(hostConfig: HostConfig, host: HostFacts): Pick<LinuxSpec, 'maskedPaths' | 'readonlyPaths'> {
  const masked = hostConfig.privileged ? [] : defaultMaskedPaths(host)
  const readonly = hostConfig.privileged ? [] : [...DEFAULT_READONLY_PATHS]
  return { maskedPaths: hostConfig.maskedPaths ?? masked, readonlyPaths: hostConfig.readonlyPaths ?? readonly }
}
