import { readFileSync } from 'node:fs'

/** Numeric id of a group of the host, by name or number; undefined when there is none. Source: group(5). */
export function groupId(name: string, groups: string = readFileSync('/etc/group', 'utf8')): number | undefined {
  for (const line of groups.split('\n')) {
    const [group, , id] = line.split(':')
    if (group === name && id !== undefined && /^\d+$/.test(id)) return Number(id)
  }
  return /^\d+$/.test(name) ? Number(name) : undefined
}
