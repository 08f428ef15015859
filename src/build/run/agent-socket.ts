import { chmodSync, chownSync, closeSync, constants, openSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface AgentSocket extends AsyncDisposable {
  /** The same socket by a short path: a path longer than sun_path (108 bytes) is out of reach for programs of the host. */
  readonly shortPath: string
}

/**
 * A socket at `path` on which the client's SSH agent answers. Each connection is one to the agent; an agent that cannot be reached ends it. Disposing breaks
 * off what goes on and takes the socket away.
 */
export async function openAgentSocket(
  path: string,
  owner: { mode: number; uid: number; gid: number },
  connect: () => Promise<Duplex>,
): Promise<AgentSocket> {
  const open = new Set<Duplex>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    open.add(client)
    void forward(client, connect, open).finally(() => open.delete(client))
  })
  // Past the limit of sun_path (unix(7)) by way of a descriptor of the directory; open as long as the server is, which deletes by this name when it closes.
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await listen(server, `/proc/self/fd/${directory}/${basename(path)}`)
  } catch (error) {
    closeSync(directory)
    throw error
  }
  // Nobody but root gets into the directory, so that it is never open to others.
  chownSync(path, owner.uid, owner.gid)
  chmodSync(path, owner.mode & 0o777)
  return {
    shortPath: `/proc/${process.pid}/fd/${directory}/${basename(path)}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const stream of open) stream.destroy()
      await closed
      closeSync(directory)
      rmSync(path, { force: true })
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(path, resolve)
  await promise
}

/** Never throws: a broken connection is the program's to notice. */
async function forward(client: Socket, connect: () => Promise<Duplex>, open: Set<Duplex>): Promise<void> {
  client.on('error', () => undefined)
  let agent: Duplex
  try {
    agent = await connect()
  } catch {
    client.destroy()
    return
  }
  open.add(agent)
  try {
    await Promise.all([pipeline(client, agent), pipeline(agent, client)])
  } catch {
    client.destroy()
    agent.destroy()
  } finally {
    open.delete(agent)
  }
}
