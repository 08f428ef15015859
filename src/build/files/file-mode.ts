import { invalidArgument } from '#errors'

/** Gives the permission bits (0o7777) that a node gets for those that it has. */
export type ModeChange = (mode: number, isDirectory: boolean) => number

/** What chmod(1) takes away from clauses that name nobody: as where BuildKit runs. */
const UMASK = 0o022

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 }
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/
const ACTION = /([-+=])([ugo]|[rwxXst]*)/g

/**
 * `0755`, 0o755, or clauses as chmod(1) reads them: `u=rwX,go-w`. Octal digits replace all bits. Throws INVALID_ARGUMENT. Source: POSIX.1-2024 chmod, "Extended
 * description".
 */
export function parseMode(mode: number | string): ModeChange {
  if (typeof mode === 'number') return () => mode & 0o7777
  if (/^[0-7]{1,5}$/.test(mode)) return () => Number.parseInt(mode, 8) & 0o7777
  const clauses = mode.split(',').map((clause) => parseClause(clause, mode))
  return (before, isDirectory) => clauses.reduce((current, change) => change(current, isDirectory), before & 0o7777)
}

function parseClause(clause: string, mode: string): ModeChange {
  const [, who = '', actions = ''] = CLAUSE.exec(clause) ?? []
  if (actions === '') throw invalidArgument(`invalid mode: ${JSON.stringify(mode)}`)
  const named = Array.from(who).reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0)
  const scope = who === '' ? 0o7777 & ~UMASK : named
  const steps = [...actions.matchAll(ACTION)].map(([, operator = '', what = '']): ModeChange => {
    return (current, isDirectory) => {
      const bits = bitsOf(what, current, isDirectory) & scope
      if (operator === '+') return current | bits
      if (operator === '-') return current & ~bits
      // The set-id bits of a directory stay unless they are named (GNU).
      const kept = isDirectory ? 0o6000 : 0
      return (current & (~(who === '' ? 0o777 : scope) | kept)) | bits
    }
  })
  return (current, isDirectory) => steps.reduce((bits, step) => step(bits, isDirectory), current)
}

/** The bits that the letters of one action name, for everybody. */
function bitsOf(what: string, current: number, isDirectory: boolean): number {
  const copied = { u: 6, g: 3, o: 0 }[what]
  if (copied !== undefined) return ((current >> copied) & 7) * 0o111
  let bits = 0
  for (const letter of what) {
    if (letter === 'r') bits |= 0o444
    else if (letter === 'w') bits |= 0o222
    else if (letter === 'x') bits |= 0o111
    else if (letter === 'X') bits |= isDirectory || (current & 0o111) !== 0 ? 0o111 : 0
    else if (letter === 's') bits |= 0o6000
    else if (letter === 't') bits |= 0o1000
  }
  return bits
}
