/** `GET /info` for older API versions. Source: moby `getInfo`. */

import type { ApiVersion, CommitInfo, SystemInfo } from '#api'

/** `info` has everything of the newest version. */
export function encodeInfo(info: SystemInfo, version: ApiVersion): SystemInfo {
  const result = { ...info }
  if (version < 44) {
    result.Runtimes = Object.fromEntries(
      Object.entries(info.Runtimes).map(([name, { path, runtimeArgs }]) => [
        name,
        runtimeArgs === undefined ? { path } : { path, runtimeArgs },
      ]),
    )
  }
  if (version < 47) {
    result.RegistryConfig = {
      ...info.RegistryConfig,
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
    }
  }
  if (version < 49) {
    delete result.FirewallBackend
    const withExpected = (commit: CommitInfo): CommitInfo => ({ ...commit, Expected: commit.ID })
    result.ContainerdCommit = withExpected(info.ContainerdCommit)
    result.RuncCommit = withExpected(info.RuncCommit)
    result.InitCommit = withExpected(info.InitCommit)
  }
  if (version < 50) {
    delete result.DiscoveredDevices
    result.BridgeNfIptables = false
    result.BridgeNfIp6tables = false
  }
  if (version < 53) delete result.NRI
  return result
}
