/** What can be told at create about the options `generateSpec` reads, so that `docker create` fails and not the first start. */

import { posix } from 'node:path'
import { EngineError, invalidArgument } from '#errors'
import { decodeProfile, normalizeCapabilities } from '#kernel'
import type { HostConfig } from '../configuration.ts'
import { parseDeviceRule, verifyDevicePermissions } from './devices.ts'
import { parseSecurityOptions } from './security-options.ts'
import type { HostFacts } from './spec-input.ts'
import { verifySysctls } from './sysctls.ts'
import { tmpfsOptions } from './tmpfs-options.ts'
import { verifyUlimits } from './ulimits.ts'

/** Throws INVALID_ARGUMENT with Docker's texts. Pure but for `host`. */
export function verifySpecOptions(hostConfig: HostConfig, host: Pick<HostFacts, 'capabilities'>): void {
  for (const [field, names] of [
    ['CapAdd', hostConfig.capAdd],
    ['CapDrop', hostConfig.capDrop],
  ] as const) {
    prefixed(`invalid ${field}: `, () => normalizeCapabilities(names, host.capabilities))
  }
  const security = parseSecurityOptions(hostConfig.securityOpt, { noNewPrivileges: false })
  if (security.seccomp !== undefined && !['', 'unconfined', 'builtin'].includes(security.seccomp)) decodeProfile(security.seccomp)
  if (security.writableCgroups && hostConfig.cgroupnsMode === 'host' && !hostConfig.privileged) {
    throw invalidArgument('writable-cgroups requires a private cgroup namespace: it would open the hierarchy of the host')
  }
  verifySysctls(hostConfig)
  verifyUlimits(hostConfig.ulimits)
  verifyDevicePermissions(hostConfig.devices)
  for (const rule of hostConfig.deviceCgroupRules) parseDeviceRule(rule)
  for (const [path, data] of Object.entries(hostConfig.tmpfs)) {
    if (posix.normalize(path) === '/') throw invalidArgument("invalid specification: destination can't be '/'")
    if (!path.startsWith('/')) throw invalidArgument(`invalid mount path: '${path}' mount path must be absolute`)
    tmpfsOptions(data)
  }
}

function prefixed(prefix: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (error instanceof EngineError) throw new EngineError(error.code, `${prefix}${error.message}`, { cause: error })
    throw error
  }
}
