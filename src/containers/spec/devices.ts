/** Device nodes and the rules over them. Source: moby daemon/oci_linux.go, WithDevices; daemon/pkg/oci/devices_linux.go. */

import { posix } from 'node:path'
import { invalidArgument } from '#errors'
import type { DeviceSpec, ResourcesSpec } from '#oci'
import type { HostConfig, Resources } from '../configuration.ts'
import type { HostFacts } from './spec-input.ts'

type DeviceRule = NonNullable<ResourcesSpec['devices']>[number]

/** Docker's default list: nothing but zero, null, urandom, random, tty and console; the runtime adds its own minimum (ptmx, pts …). */
const DEFAULT_RULES: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
]

const RULE = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/

/** `--device-cgroup-rule`: `c 1:* rmw`. Throws INVALID_ARGUMENT with Docker's text. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = RULE.exec(text)
  if (match === null) throw invalidArgument(`invalid device cgroup rule format: '${text}'`)
  const [, type = 'a', major = '*', minor = '*', access = ''] = match
  return {
    allow: true,
    type: type === 'b' || type === 'c' ? type : 'a',
    ...(major !== '*' && { major: Number(major) }),
    ...(minor !== '*' && { minor: Number(minor) }),
    access,
  }
}

/** `--device`'s permissions: some of r, w and m, each once. Throws INVALID_ARGUMENT. */
export function verifyDevicePermissions(devices: Resources['devices']): void {
  for (const { cgroupPermissions } of devices) {
    if (!/^[rwm]{0,3}$/.test(cgroupPermissions) || new Set(cgroupPermissions).size !== cgroupPermissions.length) {
      throw invalidArgument(`invalid device mode: ${cgroupPermissions}`)
    }
  }
}

/** Nodes beyond the runtime's default ones, and the access rules in order. Throws INVALID_ARGUMENT for a path without devices. */
export function devices(hostConfig: HostConfig, host: HostFacts): { devices: DeviceSpec[]; rules: DeviceRule[] } {
  if (hostConfig.privileged) {
    // The host's nodes are all there already under their own names; only other names are added.
    const renamed = hostConfig.devices.filter(({ pathOnHost, pathInContainer }) => pathOnHost !== pathInContainer)
    return {
      devices: [...host.allDevices(), ...renamed.flatMap((mapping) => mapped(mapping, host))],
      rules: [{ allow: true, access: 'rwm' }],
    }
  }
  const nodes: DeviceSpec[] = []
  const rules = [...DEFAULT_RULES]
  for (const mapping of hostConfig.devices) {
    const found = mapped(mapping, host)
    nodes.push(...found)
    for (const { type, major, minor } of found) {
      rules.push({ allow: true, type: type === 'b' ? 'b' : 'c', major, minor, access: mapping.cgroupPermissions || 'rwm' })
    }
  }
  rules.push(...hostConfig.deviceCgroupRules.map(parseDeviceRule))
  return { devices: nodes, rules }
}

function mapped({ pathOnHost, pathInContainer }: Resources['devices'][number], host: HostFacts): DeviceSpec[] {
  const found = host.devicesAt(pathOnHost)
  if (found === undefined || found.length === 0) {
    const reason = found === undefined ? 'no such file or directory' : 'not a device node'
    throw invalidArgument(`error gathering device information while adding custom device ${JSON.stringify(pathOnHost)}: ${reason}`)
  }
  const target = pathInContainer === '' ? pathOnHost : pathInContainer
  return found.map((device) => ({ ...device, path: device.path === '' ? target : posix.join(target, device.path) }))
}
