import { randomUUID } from 'node:crypto'
import type { Repository } from '#metadata'

/** Identity of this engine (`docker info`, ID): made once per data root. */
export function daemonId(settings: Repository<string>): string {
  const known = settings.get('id')
  if (known !== undefined) return known
  const id = randomUUID()
  settings.put('id', id)
  return id
}
