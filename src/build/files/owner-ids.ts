import { lookUpUser } from '#containers'
import type { UserFiles } from '#containers'
import type { Owner } from '../graph/types.ts'
import type { OwnerIds } from './actions.ts'

/**
 * The numbers of an owner. As with BuildKit, a user by number is the group's number as well, one by name has the group of its passwd entry, and without a user
 * it is root. `users`: called for names only. Throws INTERNAL for an unknown name.
 */
export function ownerIds(owner: Owner | undefined, users: () => UserFiles): OwnerIds {
  if (owner === undefined) return undefined
  const { user, group } = owner
  const ids = user === undefined ? 0 : user
  const { uid, gid } = typeof ids === 'number' ? { uid: ids, gid: ids } : lookUpUser(users(), ids)
  if (group === undefined) return { uid, gid }
  return { uid, gid: typeof group === 'number' ? group : lookUpUser(users(), `:${group}`).gid }
}
