import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { constants } from 'node:os'
import type { Cli } from '../cli.ts'
import { GANTRY_SOCKET } from '../config/resolve-endpoint.ts'
import { findPlugin } from './find-plugins.ts'

/** After this many interrupts a plugin that does not end is killed. */
const FORCE_EXIT_SIGNALS = 3

/**
 * Runs `docker-<name>` for a command we do not know, as Docker does: global flags first, then the command line. Undefined when there is no
 * such plugin.
 *
 * The plugin connects to an abstract socket of ours; that we close it is how it learns that the user interrupts, without a signal of its
 * own (a terminal sends one to both of us, a supervisor only to us).
 */
export async function runPlugin(cli: Cli, args: readonly string[]): Promise<number | undefined> {
  const [name = ''] = args
  const path = findPlugin(cli, name)
  if (path === undefined) return undefined

  const socketName = `docker_cli_${randomBytes(16).toString('hex')}`
  const connections = new Set<Socket>()
  const server = createServer((socket) => {
    connections.add(socket)
    socket.on('error', () => {}).on('close', () => connections.delete(socket))
    socket.unref()
  })
  server.on('error', () => {}) // without abstract sockets the plugin does without
  server.listen(`\0${socketName}`).unref()

  const child = spawn(path, [...cli.globalArgs, ...args], {
    stdio: 'inherit',
    env: {
      ...cli.env,
      ...addressForPlugins(cli),
      DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: cli.program,
      DOCKER_CLI_PLUGIN_SOCKET: `@${socketName}`,
    },
  })
  let interrupts = 0
  const onSignal = (): void => {
    if (++interrupts >= FORCE_EXIT_SIGNALS) child.kill('SIGKILL')
    if (!process.stdin.isTTY) for (const socket of connections) socket.destroy()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    server.close()
    for (const socket of connections) socket.destroy()
  }
}

/** Plugins know Docker's default socket only: when ours is the one in use, they are told. */
function addressForPlugins(cli: Cli): Record<string, string> {
  const own = `unix://${GANTRY_SOCKET}`
  const explicit = cli.choice.hosts.length > 0 || (cli.env['DOCKER_HOST'] ?? '') !== ''
  return !explicit && cli.contextName === 'default' && cli.engine().endpoint.text === own ? { DOCKER_HOST: own } : {}
}
