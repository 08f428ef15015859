import { allowDevices } from '../devices/allow-devices.ts'
import { deviceGrants } from '../devices/device-grants.ts'
import { EngineError } from '#errors'
import type { Digest } from '#oci'
import type { ExecOp, Vertex } from '../graph/types.ts'
import type { BuildScope, SolverDeps } from './solver.ts'

/**
 * The steps of a graph that want devices, each with qualified names of those that it gets, by the id it had: these are what its key is made of. Throws FORBIDDEN
 * for one that the client does not allow, before anything is done, NOT_FOUND for one that is needed and not there.
 */
export async function giveDevices(
  { devices }: Pick<SolverDeps, 'devices'>,
  { entitlements }: Pick<BuildScope, 'entitlements'>,
  vertices: readonly Vertex[],
): Promise<Map<Digest, Vertex>> {
  const wanting = vertices.filter(({ op }) => op.kind === 'exec' && op.devices !== undefined)
  if (wanting.length === 0) return new Map()
  const grants = deviceGrants(entitlements)
  const known = await devices.list()
  const give = ({ devices: wanted = [], ...op }: ExecOp): ExecOp => {
    const names = allowDevices(wanted, grants, known)
    // Without any it is the same step as one that asks for none.
    return names.length === 0 ? op : { ...op, devices: names.map((name) => ({ name, optional: false })) }
  }
  try {
    return new Map(wanting.map((vertex) => [vertex.id, vertex.op.kind === 'exec' ? { ...vertex, op: give(vertex.op) } : vertex]))
  } catch (error) {
    throw error instanceof EngineError ? new EngineError(error.code, `failed to load LLB: ${error.message}`, { cause: error }) : error
  }
}
