import { EngineError, internal, invalidArgument } from '#errors'
import { LaunchError } from '#runtime'

/** How a failed start ends up in the record and at the client. */
export interface StartFailure {
  /** 126: cannot be run, 127: not found, 128: anything else. */
  exitCode: number
  error: EngineError
}

const CREATE = 'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed'
const EXEC = 'OCI runtime exec failed: exec failed'
const WRONG_KIND =
  ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type'

/**
 * Docker's text and code for an error of a start. The docker CLI reads the text: `executable file not found`, `no such file or directory`
 * make it exit with 127, `permission denied` and `is a directory` with 126, everything else with 125. Source: moby daemon/errors.go and
 * docker/cli command/container/run.go.
 */
export function startFailure(error: unknown): StartFailure {
  if (error instanceof LaunchError) return error.operation === 'bind-port' ? portFailure(error) : launchFailure(error, CREATE)
  if (error instanceof EngineError) return { exitCode: 128, error }
  return { exitCode: 128, error: internal(error instanceof Error ? error.message : String(error), error) }
}

/** The same for a process in a running container. */
export function execFailure(error: unknown): StartFailure {
  if (error instanceof LaunchError) return launchFailure(error, EXEC)
  // Docker: 126 for every exec that could not be started.
  return { ...startFailure(error), exitCode: 126 }
}

function launchFailure(error: LaunchError, prefix: string): StartFailure {
  const detail = describeLaunchError(error)
  let text = `${prefix}: unable to start container process: ${prefix === CREATE ? 'error during container init: ' : ''}${detail}: unknown`
  if (isMount(error) && error.code === 'ENOTDIR') text += WRONG_KIND
  const exitCode = codeFor(error)
  return { exitCode, error: exitCode === 128 ? internal(text, error) : invalidArgument(text, error) }
}

/** Another program took the port between the look at it and the reservation. */
function portFailure(error: LaunchError): StartFailure {
  const text = `failed to set up container networking: driver failed programming external connectivity: failed to bind host port ${error.subject}`
  return { exitCode: 128, error: internal(`${text}: address already in use`, error) }
}

function codeFor(error: LaunchError): number {
  const { operation, code } = error
  if (code === 'EACCES' || code === 'EISDIR') return 126
  if (code === 'ENOTDIR') return 127
  return code === 'ENOENT' && (operation === 'execve' || operation === 'chdir' || isMount(error)) ? 127 : 128
}

function isMount({ operation }: LaunchError): boolean {
  return operation === 'mount' || operation === 'bind' || operation === 'idmapped-bind'
}

const DESCRIPTIONS: Record<string, string> = {
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  EPERM: 'operation not permitted',
  ENOMEM: 'cannot allocate memory',
  EINVAL: 'invalid argument',
  E2BIG: 'argument list too long',
}

function idmapHint({ operation, code }: LaunchError): string {
  return operation === 'idmapped-bind' && code === 'EINVAL' ? ' (its file system, or one mounted below it, supports no idmap)' : ''
}

/** What could not be done and why, in the words of runc: `exec: "/bin/sh": stat /bin/sh: no such file or directory`. */
export function describeLaunchError(error: LaunchError): string {
  const { operation, subject, code } = error
  const why = DESCRIPTIONS[code] ?? error.message
  switch (operation) {
    case 'execve': {
      if (code === 'ENOEXEC') return `exec ${subject}: exec format error`
      if (code !== 'ENOENT') return `exec: ${JSON.stringify(subject)}: ${why}`
      // Without a slash the program was searched for; with one it was looked at.
      return subject.includes('/')
        ? `exec: ${JSON.stringify(subject)}: stat ${subject}: no such file or directory`
        : `exec: ${JSON.stringify(subject)}: executable file not found in $PATH`
    }
    case 'chdir':
      return `chdir to cwd (${JSON.stringify(subject)}) set in config.json failed: ${why}`
    case 'mount':
    case 'idmapped-bind':
    case 'bind': {
      const [source = '', target = ''] = subject.split(' on ')
      return `error mounting ${JSON.stringify(source)} to rootfs at ${JSON.stringify(target)}: ${error.operation} ${subject}: ${why}${idmapHint(error)}`
    }
    default:
      return error.message
  }
}
