import { invalidArgument } from '#errors'
import { splitCsvLine } from '#lib'
import type { Entitlement } from '../types.ts'

/** What a client allows its build in the way of devices. */
export interface DeviceGrants {
  readonly all: boolean
  /** Names as Dockerfiles may write them: a device, a kind, a class. */
  readonly names: ReadonlySet<string>
  /** What a Dockerfile calls a device, and which it gets. */
  readonly aliases: ReadonlyMap<string, string>
}

/** `device`, `device=vendor.com/class=name`, `device=vendor.com/class=name,alias=other`. Throws INVALID_ARGUMENT. Source: moby/buildkit util/entitlements. */
export function deviceGrants(entitlements: Iterable<Entitlement>): DeviceGrants {
  const names = new Set<string>()
  const aliases = new Map<string, string>()
  let all = false
  for (const entitlement of entitlements) {
    if (entitlement === 'device' || entitlement === 'device=') all = true
    else if (entitlement.startsWith('device=')) addNamed(entitlement.slice('device='.length), names, aliases)
  }
  return { all, names, aliases }
}

function addNamed(text: string, names: Set<string>, aliases: Map<string, string>): void {
  const [name = '', ...fields] = csvFields(text)
  let alias = ''
  for (const field of fields) {
    const equals = field.indexOf('=')
    if (equals < 0) throw invalidArgument(`invalid device config ${JSON.stringify(field)}`)
    if (field.slice(0, equals) !== 'alias') throw invalidArgument(`unknown device config key ${JSON.stringify(field.slice(0, equals))}`)
    alias = field.slice(equals + 1)
  }
  if (alias === '') names.add(name)
  else aliases.set(alias, name)
}

function csvFields(text: string): string[] {
  try {
    return splitCsvLine(text)
  } catch (error) {
    throw invalidArgument(`invalid device config ${JSON.stringify(text)}: ${(error as Error).message}`, error)
  }
}
