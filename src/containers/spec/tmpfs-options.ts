/** Options of `--tmpfs` and `--mount type=tmpfs`. */

import { invalidArgument } from '#errors'
import type { MountRequest } from '../configuration.ts'

/** What a tmpfs gets unless told otherwise; a later option of the same kind wins. */
const DEFAULTS = ['noexec', 'nosuid', 'nodev', 'rprivate']

/** Flags by kind: two of one kind contradict each other. Source: mount(8); moby/sys mount/flags_linux.go. */
const KINDS: Record<string, readonly string[]> = {
  access: ['ro', 'rw'],
  suid: ['suid', 'nosuid'],
  dev: ['dev', 'nodev'],
  exec: ['exec', 'noexec'],
  sync: ['sync', 'async'],
  dirsync: ['dirsync'],
  remount: ['remount'],
  mand: ['mand', 'nomand'],
  atime: ['atime', 'noatime'],
  diratime: ['diratime', 'nodiratime'],
  relatime: ['relatime', 'norelatime'],
  strictatime: ['strictatime', 'nostrictatime'],
  bind: ['bind', 'rbind'],
  propagation: ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
}

/** Options with a value. */
const VALUED = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol'])

const KIND_OF = new Map(Object.entries(KINDS).flatMap(([kind, flags]) => flags.map((flag) => [flag, kind])))

/** `data`: comma-separated as the user wrote it. Of each kind the last one stays. Throws INVALID_ARGUMENT with Docker's text. */
export function tmpfsOptions(data: string): string[] {
  const options = [...DEFAULTS, ...(data === '' ? [] : data.split(','))]
  const taken = new Set<string>()
  const kept: string[] = []
  for (const option of options.toReversed()) {
    if (option === 'defaults') continue
    const [key = '', ...value] = option.split('=')
    const kind = value.length > 0 ? undefined : KIND_OF.get(option)
    if (kind === undefined && (value.length === 0 || !VALUED.has(key))) {
      const parts = value.length === 0 ? [option] : [key, value.join('=')]
      throw invalidArgument(`invalid tmpfs option [${parts.map((part) => JSON.stringify(part)).join(' ')}]`)
    }
    const slot = kind ?? key
    if (taken.has(slot)) continue
    taken.add(slot)
    kept.unshift(option)
  }
  return kept
}

/** Options of a `--mount type=tmpfs` as mount(8) spells them. Bytes become the largest unit that divides them, as Docker shows them. */
export function tmpfsData(tmpfs: MountRequest['tmpfs'], readOnly: boolean): string {
  const options = readOnly ? ['ro'] : []
  if (tmpfs !== undefined && tmpfs.mode !== 0) options.push(`mode=${tmpfs.mode.toString(8)}`)
  if (tmpfs !== undefined && tmpfs.sizeBytes !== 0) options.push(`size=${inUnits(tmpfs.sizeBytes)}`)
  for (const option of tmpfs?.options ?? []) options.push(option.join('='))
  return options.join(',')
}

function inUnits(bytes: number): string {
  const units = [
    ['g', 2 ** 30],
    ['m', 2 ** 20],
    ['k', 2 ** 10],
  ] as const
  const unit = units.find(([, size]) => bytes % size === 0)
  return unit === undefined ? String(bytes) : `${bytes / unit[1]}${unit[0]}`
}
