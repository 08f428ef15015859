/** The environment of a container's process. */

/** Where programs are looked for when neither image nor user says. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Defaults, then the container's own entries: `KEY=value` replaces or adds, `KEY` alone takes a default away (`-e HOSTNAME`). HOME comes last, from
 * the user's passwd entry, where nobody has set it; runtimes do that, not Docker's daemon. Source: moby daemon/container/env.go; runc init_linux.go.
 */
export function processEnvironment(request: { env: readonly string[]; hostname: string; tty: boolean; home: string }): string[] {
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${request.hostname}`, ...(request.tty ? ['TERM=xterm'] : [])]
  const merged = mergeEnvironment(defaults, request.env)
  const home = merged.find((entry) => entry.startsWith('HOME='))
  if (home !== undefined && home !== 'HOME=') return merged
  return [...merged.filter((entry) => entry !== home), `HOME=${request.home === '' ? '/' : request.home}`]
}

/** `KEY=value` in `changes` replaces the entry of that key where it stands, or is added; `KEY` alone removes it. */
export function mergeEnvironment(base: readonly string[], changes: readonly string[]): string[] {
  const byKey = new Map(base.map((entry) => [keyOf(entry), entry]))
  for (const entry of changes) {
    if (entry.includes('=')) byKey.set(keyOf(entry), entry)
    else byKey.delete(entry)
  }
  return [...byKey.values()]
}

function keyOf(entry: string): string {
  return entry.split('=', 1)[0] ?? ''
}
