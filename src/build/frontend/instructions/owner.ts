import { invalidArgument } from '#errors'
import type { Owner } from '../../graph/types.ts'

/** `user[:group]`, by name or number. With a user by number and no group the group has the same number, as Docker has it. */
export function parseOwner(text: string): Owner {
  const [user = '', group, ...rest] = text.split(':')
  if (user === '' || rest.length > 0) throw invalidArgument(`invalid chown string: ${text}`)
  return { user: nameOrNumber(user), ...(group !== undefined && group !== '' && { group: nameOrNumber(group) }) }
}

function nameOrNumber(text: string): string | number {
  return /^\d{1,10}$/.test(text) ? Number(text) : text
}
