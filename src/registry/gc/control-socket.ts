import { once } from 'node:events'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { createServer, request as sendRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { conflict } from '#errors'

/**
 * The socket by which a server on a file system says that the directory is its own: pushes and collections have to meet in one process to be safe. A
 * second server is refused, and the command `garbage-collect` lets the one that runs do the work. Only the owner of the directory (0700) reaches it.
 */
const NAME = 'control.sock'

/**
 * Claims `root` for this process and serves `listener` on its socket. Throws CONFLICT when another process has it. A socket that nobody answers at is what
 * a killed process left.
 */
export async function claimRoot(root: string, listener: RequestListener): Promise<AsyncDisposable> {
  const place = shortPath(root)
  const server = createServer(listener)
  try {
    if (await isAnswered(place.path)) throw conflict(`another registry is running on ${root}`)
    rmSync(join(root, NAME), { force: true })
    server.listen({ path: place.path })
    await once(server, 'listening')
  } catch (error) {
    place[Symbol.dispose]()
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw conflict(`another registry is starting on ${root}`)
    throw error
  }
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      place[Symbol.dispose]()
    },
  }
}

/** Asks the server on `root`. Undefined: there is none. The caller reads the answer. */
export async function askServer(root: string, method: string, path: string): Promise<IncomingMessage | undefined> {
  using place = shortPath(root)
  if (!(await isAnswered(place.path))) return undefined
  const request = sendRequest({ socketPath: place.path, method, path })
  request.end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  return answer
}

async function isAnswered(path: string): Promise<boolean> {
  const probe = connect(path)
  try {
    await once(probe, 'connect')
    return true
  } catch {
    return false
  } finally {
    probe.destroy()
  }
}

/** The address of a socket has 107 bytes at most: by way of the descriptor any directory can be named. */
function shortPath(root: string): Disposable & { path: string } {
  const fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${fd}/${NAME}`, [Symbol.dispose]: () => closeSync(fd) }
}
