import { RegistryError } from '../http/registry-error.ts'
import type { HandlerDeps } from './types.ts'

/** Throws UNSUPPORTED (405) when deleting is switched off. Source: distribution-spec v1.1, "Deleting tags", "… manifests", "… blobs". */
export function requireDeletes({ deletes }: Pick<HandlerDeps, 'deletes'>): void {
  if (!deletes)
    throw new RegistryError('UNSUPPORTED', { message: 'deleting is switched off in this registry', headers: { Allow: 'GET, HEAD' } })
}
