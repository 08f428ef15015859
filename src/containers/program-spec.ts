import { dirname } from 'node:path'
import { planCgroup, type CgroupLayout, type CgroupPlan, type CgroupSupport } from '#kernel'
import type { RuntimeSpec } from '#oci'
import { completeHostConfig } from './complete-host-config.ts'
import type { HostConfig } from './configuration.ts'
import type { ContainerDefaults } from './context.ts'
import { discardUnsupported, generateSpec, type HostFacts, type SpecInput } from './spec/index.ts'

/** A program that is run like a container and is none: it has no record, no image, and nobody can see it (a step of a build). */
export interface ProgramRequest {
  /** 64 hex digits; name of its cgroup. */
  id: string
  args: readonly string[]
  /** `KEY` alone takes a default variable away. */
  env: readonly string[]
  /** Empty: `/`. */
  workingDir: string
  hostname: string
  tty: boolean
  user: SpecInput['user']
  /** What differs from a container without any options. Its mounts are not looked at. */
  hostConfig: Partial<HostConfig>
  /** Host paths of the files that are mounted over those in /etc; empty: none. */
  hostnamePath: string
  hostsPath: string
  resolvConfPath: string
  /** Changes the specification before cgroups are planned for it: mounts, devices. */
  edit?: (spec: RuntimeSpec) => RuntimeSpec
}

/** Specification and cgroups of a program, with the same defaults as `docker run`. Throws INVALID_ARGUMENT with Docker's texts. Pure. */
export function programSpec(
  request: ProgramRequest,
  machine: { defaults: ContainerDefaults; host: HostFacts; cgroups: CgroupLayout; support: CgroupSupport },
): { spec: RuntimeSpec; cgroup: CgroupPlan; warnings: string[] } {
  const { defaults, host, cgroups, support } = machine
  const { id, hostname, tty, workingDir, hostnamePath, hostsPath, resolvConfPath } = request
  const { limits: hostConfig, warnings: discarded } = discardUnsupported(completeHostConfig(request.hostConfig, defaults, host), support)
  const [path = '', ...args] = request.args
  const { spec: plain, warnings } = generateSpec({
    container: {
      id,
      path,
      args,
      config: { hostname, domainname: '', tty, env: [...request.env], workingDir },
      hostConfig,
      mounts: [],
      hostnamePath,
      hostsPath,
      resolvConfPath,
      apparmorProfile: '',
    },
    user: request.user,
    peers: {},
    defaults,
    host,
  })
  const spec = request.edit?.(plain) ?? plain
  const { cgroupsPath = '/', resources = {} } = spec.linux
  return { spec, cgroup: planCgroup(cgroups, { parent: dirname(cgroupsPath), id, resources }), warnings: [...discarded, ...warnings] }
}
