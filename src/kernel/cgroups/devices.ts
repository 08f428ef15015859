/**
 * Which device nodes may be opened or made. Rules are an ordered list, later ones win; both kernel interfaces get the same effective list.
 * Sources: cgroup-v1/devices.rst; runtime-spec v1.2.1 config-linux.md#allowed-device-list.
 */

import type { ResourcesSpec } from '#oci'
import type { Setting } from './setting.ts'

export type DeviceRule = NonNullable<ResourcesSpec['devices']>[number]

/** `allowAll` false: everything is refused but `exceptions`; true: everything is allowed but these. */
export interface DeviceAccess {
  allowAll: boolean
  exceptions: { type: 'b' | 'c'; major: number | '*'; minor: number | '*'; access: string }[]
}

/**
 * What every runtime adds to what it is asked for: making (not opening) any node, the nodes of a minimal /dev, pseudo terminals, and tun, which
 * containers with NET_ADMIN have always been able to use.
 */
const RUNTIME_RULES: readonly DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }, // null
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' }, // zero
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' }, // full
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' }, // random
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' }, // urandom
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' }, // tty
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' }, // ptmx
  { allow: true, type: 'c', major: 10, minor: 200, access: 'rwm' }, // net/tun
  { allow: true, type: 'c', major: 136, access: 'rwm' }, // pts/*
]

/** The list in its simplest form, the runtime's own rules at the end. undefined: no list was asked for, nothing is restricted. */
export function effectiveAccess(rules: readonly DeviceRule[] | undefined): DeviceAccess | undefined {
  if (rules === undefined || rules.length === 0) return undefined
  let access: DeviceAccess = { allowAll: true, exceptions: [] }
  for (const rule of [...rules, ...RUNTIME_RULES]) {
    if ((rule.type === undefined || rule.type === 'a') && rule.major === undefined && rule.minor === undefined) {
      access = { allowAll: rule.allow, exceptions: [] }
      continue
    }
    const types = rule.type === 'b' || rule.type === 'c' ? [rule.type] : (['b', 'c'] as const)
    for (const type of types) apply(access, rule, type)
  }
  return access
}

/** v1 exceptions only ever say the opposite of the default, so a rule that agrees with the default takes exceptions away. */
function apply(access: DeviceAccess, rule: DeviceRule, type: 'b' | 'c'): void {
  const key = { type, major: wildcard(rule.major), minor: wildcard(rule.minor) }
  const letters = rule.access === undefined || rule.access === '' ? 'rwm' : rule.access
  const known = access.exceptions.find((entry) => entry.type === key.type && entry.major === key.major && entry.minor === key.minor)
  if (rule.allow === access.allowAll) {
    if (known === undefined) return
    known.access = ['r', 'w', 'm'].filter((letter) => known.access.includes(letter) && !letters.includes(letter)).join('')
    access.exceptions = access.exceptions.filter((entry) => entry.access !== '')
  } else if (known === undefined) {
    access.exceptions.push({ ...key, access: letters })
  } else {
    known.access = ['r', 'w', 'm'].filter((letter) => known.access.includes(letter) || letters.includes(letter)).join('')
  }
}

function wildcard(number: number | undefined): number | '*' {
  return number === undefined || number === -1 ? '*' : number
}

/**
 * v1: one write per exception (the kernel takes one per call). Allowing everything may be refused below a restricted parent, where it would change
 * nothing that matters: the parent decides.
 */
export function devicesV1(rules: readonly DeviceRule[] | undefined): Setting[] {
  const access = effectiveAccess(rules)
  if (access === undefined) return []
  const [everything, exception] = access.allowAll
    ? (['devices.allow', 'devices.deny'] as const)
    : (['devices.deny', 'devices.allow'] as const)
  return [
    { file: everything, value: 'a', ...(access.allowAll && { optional: true as const }) },
    ...access.exceptions.map(({ type, major, minor, access: letters }) => ({
      file: exception,
      value: `${type} ${major}:${minor} ${letters}`,
    })),
  ]
}
