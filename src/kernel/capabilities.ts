/**
 * Linux capabilities: the kernel's list, Docker's default set, and what `--cap-add` and `--cap-drop` make of it.
 *
 * Signatures:
 *   availableCapabilities(status: string): string[]
 *   normalizeCapabilities(names: readonly string[], available: readonly string[]): string[]
 *   containerCapabilities(request: { add; drop; privileged }, available: readonly string[]): string[]
 */

import { invalidArgument } from '#errors'

/** Every capability there is; the index is the kernel's number. Source: include/uapi/linux/capability.h, Linux 6.18 (CAP_LAST_CAP is 40). */
export const CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
]

/** What a container has when nobody asks for more or less: Docker's fourteen, in Docker's order. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

const ALL = 'ALL'

/**
 * The capabilities this host can hand out: those both effective and in the bounding set of the process whose `/proc/<pid>/status` text is given.
 * An engine that itself runs in a container has fewer than the kernel knows. Source: proc_pid_status(5).
 */
export function availableCapabilities(status: string): string[] {
  const effective = maskOf(status, 'CapEff') & maskOf(status, 'CapBnd')
  return CAPABILITIES.filter((_, number) => (effective >> BigInt(number)) & 1n)
}

function maskOf(status: string, field: string): bigint {
  const hex = new RegExp(`^${field}:\\s*([0-9a-fA-F]+)$`, 'm').exec(status)?.[1]
  return hex === undefined ? 0n : BigInt(`0x${hex}`)
}

/**
 * Upper case, `CAP_` in front; `ALL` stays `ALL`. Throws INVALID_ARGUMENT with Docker's texts for a name the kernel does not have and for
 * one it has but `available` lacks.
 */
export function normalizeCapabilities(names: readonly string[], available: readonly string[]): string[] {
  return names.map((name) => {
    const upper = name.toUpperCase()
    if (upper === ALL) return ALL
    const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
    if (!CAPABILITIES.includes(full)) throw invalidArgument(`unknown capability: ${JSON.stringify(full)}`)
    if (!available.includes(full)) {
      throw invalidArgument(`capability not supported by your kernel or not available in the current environment: ${JSON.stringify(full)}`)
    }
    return full
  })
}

/**
 * The set a container's process gets. `ALL` in `add` wins over `ALL` in `drop`, as with Docker: with both, everything not named in `drop` is kept.
 * Default capabilities the host itself lacks are left out, because asking the kernel for them would fail every start.
 */
export function containerCapabilities(
  request: { add: readonly string[]; drop: readonly string[]; privileged: boolean },
  available: readonly string[],
): string[] {
  if (request.privileged) return [...available]
  const add = normalizeCapabilities(request.add, available)
  const drop = normalizeCapabilities(request.drop, available)
  if (add.includes(ALL)) return available.filter((name) => !drop.includes(name))
  if (drop.includes(ALL)) return [...new Set(add)]
  const kept = DEFAULT_CAPABILITIES.filter((name) => available.includes(name) && !drop.includes(name))
  return [...new Set([...kept, ...add])]
}
