import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { surviveErrors } from '#lib'
import { createApiServer } from '#server'
import { PERSONAS, type DaemonConfig, type Persona } from './config/daemon-config.ts'
import { helpText } from './config/help.ts'
import { loadConfig, reloaded } from './config/load-config.ts'
import { parseDaemonFlags, type GivenOptions } from './config/parse-flags.ts'
import { startEngine } from './engine.ts'
import { startHeapCare } from './heap-care.ts'
import { parseListenAddress, showAddress } from './listen-address.ts'
import { listen, refuseUnsafe } from './listeners.ts'
import { createLogger, type Logger } from './logger.ts'
import { writePidFile } from './pid-file.ts'
import { stateDirectory } from './state-directory.ts'
import { ENGINE_VERSION } from './version.ts'

/** Of a daemon that could not start, as dockerd's. */
const EXIT_FAILURE = 1

/**
 * The daemon in the foreground, from its arguments to its exit code: 0 after SIGTERM or SIGINT, 1 when it cannot start. Prints one line on
 * stdout when it is ready (`API listen on …`); its log goes to stderr. Containers outlive it.
 */
export async function runDaemon(command: 'daemon' | 'dockerd', args: readonly string[]): Promise<number> {
  const persona = PERSONAS[command]
  try {
    const flags = parseDaemonFlags(args)
    if (flags.help) return print(helpText(persona.program))
    if (flags.version) return print(`Gantry version ${ENGINE_VERSION}\n`)
    const config = loadConfig(flags, persona, process.env)
    if (flags.validate) return print('configuration OK\n')
    await serve(config, flags, persona)
    return 0
  } catch (error) {
    process.stderr.write(`failed to start daemon: ${error instanceof Error ? error.message : String(error)}\n`)
    return EXIT_FAILURE
  }
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

/** Resolves when a signal has ended the daemon in order. */
async function serve(initial: DaemonConfig, flags: GivenOptions, persona: Persona): Promise<void> {
  let config = initial
  if (process.getuid?.() !== 0) throw new Error('dockerd needs to be started with root privileges')
  const addresses = config.hosts.map((host) => parseListenAddress(host, config.tls.enabled))
  for (const address of addresses) refuseUnsafe(address, config.tls)
  const logger = createLogger({ ...config.log, write: (line) => process.stderr.write(line) })
  // What containers must be able to read is readable whatever the caller's umask; what they must not has its mode said.
  process.umask(0o022)
  using signals = new SignalQueue(['SIGTERM', 'SIGINT', 'SIGHUP'])
  using _errors = surviveErrors((error) =>
    logger.error('unexpected error', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
  const state = stateDirectory(config.dataRoot, config.execRoot)
  await using owned = new AsyncDisposableStack()
  owned.use(writePidFile(config.pidfile))
  owned.use(writePidFile(state.daemonPid))

  const engine = owned.use(
    await startEngine({ state, config: () => config, logger, initBinary: initBinary(), workerEntry: pathToFileURL(process.argv[1] ?? '') }),
  )
  owned.use(startHeapCare({ report: (error) => logger.warn('cannot give memory back', { error: String(error) }) }))
  const api = createApiServer(engine.api)
  owned.defer(() => api.close({ grace: config.shutdownTimeout * 1000 }))
  const shown: string[] = []
  for (const wanted of addresses) {
    const { address } = await listen(wanted, { ...config, logger }, (server) => api.attach(server))
    shown.push(showAddress(address))
  }
  process.stdout.write(`API listen on ${shown.join(', ')}\n`)
  logger.info('Daemon has completed initialization', { version: ENGINE_VERSION, pid: process.pid })

  for (;;) {
    const signal = await signals.next()
    if (signal !== 'SIGHUP') {
      logger.info(`Processing signal '${signal}'`)
      return
    }
    config = reload(config, flags, persona, logger)
    engine.api.events.publish('daemon', 'reload', '', reloadAttributes(config))
  }
}

/** What the event tells of a reload: the options that may have changed, named and written as dockerd's. */
function reloadAttributes({ dataRoot, debug, labels, shutdownTimeout, registries }: DaemonConfig): Record<string, string> {
  return {
    name: dataRoot,
    debug: String(debug),
    labels: JSON.stringify(labels),
    'shutdown-timeout': String(shutdownTimeout),
    'registry-mirrors': JSON.stringify(registries.mirrors),
    'insecure-registries': JSON.stringify(registries.insecure),
    'max-concurrent-downloads': String(registries.maxConcurrentDownloads),
    'max-concurrent-uploads': String(registries.maxConcurrentUploads),
    'max-download-attempts': String(registries.maxDownloadAttempts),
  }
}

/** A file that cannot be used leaves everything as it is. */
function reload(config: DaemonConfig, flags: GivenOptions, persona: Persona, logger: Logger): DaemonConfig {
  try {
    const next = reloaded(config, loadConfig(flags, persona, process.env))
    logger.setLevel(next.log.level)
    logger.info('Reloaded configuration')
    return next
  } catch (error) {
    logger.error((error as Error).message)
    return config
  }
}

/** Beside the bundle in a release, in the build directory when run from source. */
function initBinary(): string {
  const candidates = [
    process.env['GANTRY_INIT'],
    resolve(import.meta.dirname, 'gantry-init'),
    resolve(import.meta.dirname, '../native/init/build/gantry-init'),
    resolve(import.meta.dirname, '../../native/init/build/gantry-init'),
  ]
  const found = candidates.find((path) => path !== undefined && existsSync(path))
  if (found === undefined) throw new Error(`cannot find gantry-init; looked at ${candidates.filter(Boolean).join(', ')}`)
  return found
}

/** Signals in the order they came, for one consumer. Installed before anything is started, so that an early SIGTERM is not lost. */
class SignalQueue implements Disposable {
  readonly #waiting: NodeJS.Signals[] = []
  readonly #handlers: [NodeJS.Signals, () => void][]
  #wake: (() => void) | undefined

  constructor(names: readonly NodeJS.Signals[]) {
    this.#handlers = names.map((name) => [name, () => this.#push(name)])
    for (const [name, handler] of this.#handlers) process.on(name, handler)
  }

  async next(): Promise<NodeJS.Signals> {
    for (;;) {
      const signal = this.#waiting.shift()
      if (signal !== undefined) return signal
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  [Symbol.dispose](): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler)
  }

  #push(name: NodeJS.Signals): void {
    this.#waiting.push(name)
    this.#wake?.()
  }
}
