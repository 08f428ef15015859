import type { Access, AccessController, AccessDecision } from '../types.ts'
import type { Exchange } from './exchange.ts'
import { RegistryError } from './registry-error.ts'

/** Lets a request through and notes who it is; throws UNAUTHORIZED, DENIED or TOOMANYREQUESTS. */
export async function authorise(exchange: Exchange, controller: AccessController | undefined, access: readonly Access[]): Promise<void> {
  if (controller === undefined) return
  const decision = await controller.authorise(exchange.request, access)
  if (decision.kind !== 'allowed') throw refusal(decision, access)
  exchange.actor = decision.actor
}

/** Whether a request has a right that it can do without. */
export async function isAllowed(exchange: Exchange, controller: AccessController | undefined, access: Access): Promise<boolean> {
  return controller === undefined || (await controller.authorise(exchange.request, [access])).kind === 'allowed'
}

function refusal(decision: Exclude<AccessDecision, { kind: 'allowed' }>, access: readonly Access[]): RegistryError {
  switch (decision.kind) {
    case 'challenge':
      return new RegistryError('UNAUTHORIZED', { headers: decision.headers, detail: decision.detail ?? describe(access) })
    case 'denied':
      return new RegistryError('DENIED', { detail: decision.detail ?? describe(access) })
    case 'throttled':
      return new RegistryError('TOOMANYREQUESTS', { headers: { 'Retry-After': String(Math.ceil(decision.retryAfter)) } })
  }
}

/** As docker-registry tells which rights were missing. */
function describe(access: readonly Access[]): unknown {
  return access.length === 0 ? undefined : access.map(({ type, name, action }) => ({ Type: type, Class: '', Name: name, Action: action }))
}
