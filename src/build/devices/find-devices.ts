import { splitKind, verifyKind, type CdiDevice } from '#cdi'
import { invalidArgument, notFound } from '#errors'
import type { ExecOp } from '../graph/types.ts'

export type DeviceRequest = NonNullable<ExecOp['devices']>[number]

/** Devices with this annotation are found by its value, too: `vendor.com/class=<value>`. */
const CLASS = 'org.mobyproject.buildkit.device.class'

/**
 * Qualified names of what is asked for, each once: one device, the first of a kind (`vendor.com/class`), all of it (`vendor.com/class=*`), or those of a class.
 * Throws INVALID_ARGUMENT for what is no name, NOT_FOUND where something is needed and not there. Source: moby/buildkit solver/llbsolver/cdidevices/manager.go.
 */
export function findDevices(requests: readonly DeviceRequest[], known: readonly CdiDevice[]): string[] {
  return [...new Set(requests.flatMap((request) => findOne(request, known)))]
}

function findOne({ name, optional }: DeviceRequest, known: readonly CdiDevice[]): string[] {
  const equals = name.indexOf('=')
  const kind = equals < 0 ? name : name.slice(0, equals)
  checkKind(name, kind)
  const ofKind = known.filter((device) => device.name.startsWith(`${kind}=`))
  const found = select(ofKind, name, equals < 0 ? '' : name.slice(equals + 1))
  if (found.length === 0 && !optional) throw notFound(`required device ${JSON.stringify(name)} is not registered`)
  return found.map((device) => device.name)
}

function checkKind(name: string, kind: string): void {
  const invalid = `invalid device ${JSON.stringify(name)}`
  if (splitKind(kind) === undefined) throw invalidArgument(invalid)
  try {
    verifyKind(kind)
  } catch (error) {
    throw invalidArgument(`${invalid}: ${(error as Error).message}`, error)
  }
}

function select(ofKind: readonly CdiDevice[], qualified: string, name: string): readonly CdiDevice[] {
  if (name === '') return ofKind.slice(0, 1)
  if (name === '*') return ofKind
  const own = ofKind.filter((device) => device.name === qualified)
  return own.length > 0 ? own : ofKind.filter(({ annotations }) => annotations[CLASS] === name)
}
