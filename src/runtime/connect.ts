import { closeSync, constants, openSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'

/** sun_path without its NUL (unix(7)). */
const MAX_SOCKET_PATH = 107

/**
 * Connects to a unix socket by a path of any length: past the limit of sun_path by way of a descriptor of its directory. The socket stays
 * readable after its writable side has ended. Rejects with the system's error (ENOENT, ECONNREFUSED).
 */
export function connect(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return opened(path)
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  return opened(`/proc/self/fd/${directory}/${basename(path)}`).finally(() => closeSync(directory))
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path, allowHalfOpen: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
