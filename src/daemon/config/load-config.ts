import { daemonConfig, type DaemonConfig, type Environment, type Persona } from './daemon-config.ts'
import type { GivenOptions } from './parse-flags.ts'
import { readConfigFile } from './read-config-file.ts'

/** Flags over file over environment over defaults. Throws Error with dockerd's text. Called again, with the same flags, for a reload. */
export function loadConfig(flags: GivenOptions, persona: Persona, env: Environment = {}): DaemonConfig {
  const named = flags['config-file']
  const file = readConfigFile(named ?? persona.configFile, flags, { mustExist: named !== undefined })
  return daemonConfig({ ...file, ...flags }, persona, env)
}

/** What a reload takes over; everything else needs a new daemon. Source: docs of dockerd, "Configuration reload behavior". */
export function reloaded(running: DaemonConfig, next: DaemonConfig): DaemonConfig {
  return {
    ...running,
    debug: next.debug,
    log: { ...running.log, level: next.log.level },
    labels: next.labels,
    shutdownTimeout: next.shutdownTimeout,
    // Proxies and the configuration directory are not among them, as with dockerd.
    registries: { ...next.registries, configDirectory: running.registries.configDirectory, proxy: running.registries.proxy },
    containers: { ...running.containers, shmSize: next.containers.shmSize },
  }
}
