import { forbidden } from '#errors'
import type { Vertex } from '../graph/types.ts'
import type { Entitlement } from '../types.ts'

/** Throws FORBIDDEN, with BuildKit's text, when the step needs what the build may not do. */
export function checkEntitlements({ op }: Vertex, granted: ReadonlySet<Entitlement>): void {
  if (op.kind !== 'exec') return
  const needed: Entitlement[] = []
  if (op.network === 'host') needed.push('network.host')
  if (op.security === 'insecure') needed.push('security.insecure')
  for (const entitlement of needed) if (!granted.has(entitlement)) throw forbidden(`${entitlement} is not allowed`)
}
