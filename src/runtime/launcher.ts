import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { internal } from '#errors'
import { connect } from './connect.ts'
import { MessageChannel, VersionMismatch } from './message-channel.ts'
import { PROTOCOL_VERSION } from './protocol.ts'

/** Its exit code when another launcher holds the socket. */
const EXIT_OCCUPIED = 17

/** The process that forks monitors. It is shared by all daemons of a machine that use the same socket and outlives them. */
export interface Launcher {
  /** A fresh connection, which becomes the control connection of one monitor. Starts the launcher when there is none. */
  connect(): Promise<Socket>
  /** Ends the launcher, if there is one. Monitors do not need it, so only what is started later would miss it. */
  dismiss(): Promise<void>
}

/**
 * Nothing happens before the first `connect`. A launcher of another protocol version (an older daemon's, whose containers still run) is
 * left alone; ours then gets a socket beside it, `SOCKET.v<version>`.
 */
export function createLauncher(deps: { binary: string; socket: string }): Launcher {
  let known: Promise<string> | undefined
  /** What `known` has come to: with it connecting begins at once, not in a later turn. */
  let path: string | undefined

  async function find(): Promise<string> {
    const beside = `${deps.socket}.v${PROTOCOL_VERSION}`
    try {
      return await ensure(deps.binary, deps.socket)
    } catch (error) {
      if (error instanceof VersionMismatch) return ensure(deps.binary, beside)
      throw error
    }
  }

  async function locate(): Promise<string> {
    known ??= find()
    return (path = await known)
  }

  async function again(error: unknown): Promise<Socket> {
    // Killed since we last saw it, or it could not be started: the next attempt begins anew.
    known = path = undefined
    if (!absent(error)) throw error
    return connect(await locate())
  }

  return {
    connect() {
      const connection = path === undefined ? locate().then(connect) : connect(path)
      return connection.catch(again)
    },
    async dismiss() {
      try {
        // One that only an earlier daemon has used is ended, too.
        process.kill(await greet(await (known ?? deps.socket)), 'SIGTERM')
      } catch {
        // It is gone already.
      }
    },
  }
}

function absent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ECONNREFUSED'
}

async function ensure(binary: string, socket: string): Promise<string> {
  try {
    await greet(socket)
  } catch (error) {
    if (!absent(error)) throw error
    await start(binary, socket)
    await greet(socket)
  }
  return socket
}

/** Pid of the launcher. Throws VersionMismatch, or the connection's error. */
async function greet(socket: string): Promise<number> {
  let launcherPid = 0
  const channel = new MessageChannel(await connect(socket), (message) => {
    if (message.name === 'hello') launcherPid = message.fields.pid
  })
  channel.send('hello', { pid: process.pid })
  const reason = await channel.closed
  if (reason !== undefined) throw reason
  if (launcherPid === 0) throw internal(`the launcher on ${socket} does not answer`)
  return launcherPid
}

/** Detached, in a session of its own: the daemon's end, and a signal to its group, do not reach it. */
async function start(binary: string, socket: string): Promise<void> {
  // An environment only for its room: the kernel shows the process title in the place of arguments and environment.
  const child = spawn(binary, ['launcher', socket], {
    detached: true,
    cwd: '/',
    env: { GANTRY: '_'.repeat(64) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = Promise.all([child.stdout.setEncoding('utf8').toArray(), child.stderr.setEncoding('utf8').toArray()])
  const [code] = await Promise.race([
    output.then(() => ['ready']),
    once(child, 'error').then(([error]) => [(error as Error).message]),
    once(child, 'exit'),
  ])
  if (code === 'ready' || code === EXIT_OCCUPIED) {
    child.unref()
    return
  }
  const [, errors] = await output
  throw internal(`Cannot start the launcher ${binary}: ${errors.join('').trim() || code}`)
}
