import { statSync } from 'node:fs'

/** Sockets of SSH agents by id, of `--ssh default`, `--ssh id=/path/to/agent.sock`. Throws Error for what is no socket. */
export function sshAgents(values: readonly string[], env: Readonly<Record<string, string | undefined>>): Map<string, string> {
  return new Map(
    values.map((text) => {
      const equals = text.indexOf('=')
      const id = (equals < 0 ? text : text.slice(0, equals)) || 'default'
      const path = equals < 0 ? (env['SSH_AUTH_SOCK'] ?? '') : text.slice(equals + 1)
      if (path === '') throw new Error('invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set')
      const found = statSync(path, { throwIfNoEntry: false })
      if (found === undefined) throw new Error(`failed to stat ${path}: no such file or directory`)
      if (!found.isSocket())
        throw new Error(`${path} is not the socket of an agent; private keys are not read here: add the key to an agent`)
      return [id, path]
    }),
  )
}
