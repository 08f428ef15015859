/** `--security-opt`: the list of strings becomes one value. Source: moby daemon/daemon_unix.go, parseSecurityOpt. */

import { invalidArgument } from '#errors'

export interface SecurityOptions {
  noNewPrivileges: boolean
  /** `unconfined`, `builtin`, JSON text, or undefined for the daemon's default. */
  seccomp?: string
  /** Profile name, `unconfined`, or undefined for the default. Without effect where the kernel has no AppArmor, as with Docker. */
  apparmor?: string
  /** Leave /sys/fs/cgroup writable inside. */
  writableCgroups: boolean
  /** SELinux labels. Without effect where the kernel has no SELinux, as with Docker; Gantry does not label. */
  labels: string[]
}

/**
 * `key=value`, the old `key:value`, or the bare words `no-new-privileges` and `disable`. The last of a kind wins. Throws INVALID_ARGUMENT with
 * Docker's numbered texts. `systempaths=unconfined` is the client's to resolve into masked paths, as with Docker's.
 */
export function parseSecurityOptions(options: readonly string[], defaults: { noNewPrivileges: boolean }): SecurityOptions {
  const parsed: SecurityOptions = { noNewPrivileges: defaults.noNewPrivileges, writableCgroups: false, labels: [] }
  for (const option of options) {
    if (option === 'no-new-privileges') {
      parsed.noNewPrivileges = true
      continue
    }
    if (option === 'disable') {
      parsed.labels.push('disable')
      continue
    }
    const at = option.includes('=') ? option.indexOf('=') : option.indexOf(':')
    if (at < 0) throw invalidArgument(`invalid --security-opt 1: ${JSON.stringify(option)}`)
    apply(parsed, option, option.slice(0, at), option.slice(at + 1))
  }
  return parsed
}

function apply(parsed: SecurityOptions, option: string, key: string, value: string): void {
  switch (key) {
    case 'label':
      parsed.labels.push(value)
      break
    case 'apparmor':
      parsed.apparmor = value
      break
    case 'seccomp':
      parsed.seccomp = value
      break
    case 'no-new-privileges':
      parsed.noNewPrivileges = boolean(value, option)
      break
    case 'writable-cgroups':
      parsed.writableCgroups = boolean(value, option)
      break
    default:
      throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`)
  }
}

/** Go's strconv.ParseBool. */
function boolean(value: string, option: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`)
}
