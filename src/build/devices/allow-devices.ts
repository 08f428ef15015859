import type { CdiDevice } from '#cdi'
import { forbidden } from '#errors'
import { isGoTrue } from '#lib'
import type { DeviceGrants } from './device-grants.ts'
import { findDevices, type DeviceRequest } from './find-devices.ts'

/** A device with this annotation is given to every build that asks for it. */
const AUTO_ALLOW = 'org.mobyproject.buildkit.device.autoallow'

/**
 * Qualified names of the devices that a step gets. Throws FORBIDDEN, with BuildKit's text, for what the client does not allow, and as {@link findDevices} does.
 * Source: moby/buildkit solver/llbsolver/vertex.go, ValidateEntitlements.
 */
export function allowDevices(requests: readonly DeviceRequest[], grants: DeviceGrants, known: readonly CdiDevice[]): string[] {
  const renamed = requests.map(({ name, optional }) => ({ name: grants.aliases.get(name) ?? name, optional }))
  const named = findDevices(
    renamed.filter((_, index) => !grants.aliases.has(requests[index]?.name ?? '')),
    known,
  )
  if (named.length > 0 && !grants.all) checkGranted(named, grants, known)
  return findDevices(renamed, known)
}

function checkGranted(names: readonly string[], grants: DeviceGrants, known: readonly CdiDevice[]): void {
  const granted = new Set(
    findDevices(
      [...grants.names].map((name) => ({ name, optional: false })),
      known,
    ),
  )
  const refused = names.filter((name) => !granted.has(name) && !isAutoAllowed(known.find((device) => device.name === name)))
  const [only, ...others] = refused
  if (only === undefined) return
  throw others.length === 0
    ? forbidden(`device ${only} is requested by the build but not allowed`)
    : forbidden(`devices ${refused.join(', ')} are requested by the build but not allowed`)
}

/** Also told to clients that list devices. */
export function isAutoAllowed(device: Pick<CdiDevice, 'annotations'> | undefined): boolean {
  return isGoTrue(device?.annotations[AUTO_ALLOW])
}
