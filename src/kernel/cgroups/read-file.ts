/** Reading cgroup files that may be gone: a container can end between two reads. */

import { readFileSync } from 'node:fs'

/** undefined when the file or its cgroup does not exist (any more). */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** ENODEV: the cgroup was removed while the file was open. */
export function isGone(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENODEV')
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** Number in a file of one value; 0 for none or `max`. Counters beyond 2^53 lose their last bits, which no one will miss. */
export function readNumber(path: string): number {
  const value = Number(readIfThere(path)?.trim())
  return Number.isFinite(value) ? value : 0
}

/** `key value` lines. */
export function readKeyed(path: string): Record<string, number> {
  const pairs = (readIfThere(path) ?? '').split('\n').map((line) => line.split(' '))
  return Object.fromEntries(pairs.filter((pair) => pair.length === 2).map(([key = '', value]) => [key, Number(value)]))
}
