import { invalidArgument } from '#errors'
import { parseMode } from '../../files/file-mode.ts'
import type { Owner } from '../../graph/types.ts'

/** Value of `--chmod`: octal, or symbolic as chmod(1) reads it. */
export function copyMode(text: string): number | string {
  if (/^[0-7]{1,6}$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return Number.parseInt(text, 8)
  try {
    if (!/^\d/.test(text)) {
      parseMode(text)
      return text
    }
  } catch {
    // Said below in the builder's words.
  }
  throw invalidArgument(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`)
}

/** Value of `--chown` and USER, `user[:group]`, by name or number. */
export function copyOwner(text: string): Owner {
  const [user = '', group, ...rest] = text.split(':')
  if (user === '' || rest.length > 0) throw invalidArgument(`invalid chown string: ${text}`)
  return { user: nameOrNumber(user), ...(group !== undefined && group !== '' && { group: nameOrNumber(group) }) }
}

function nameOrNumber(text: string): string | number {
  return /^\d{1,10}$/.test(text) ? Number(text) : text
}
