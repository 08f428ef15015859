import { join } from 'node:path'
import { bool, list, string, type Flag } from './parser/flag.ts'

/** The flags in front of the command. */
export interface GlobalFlags extends Record<string, Flag<unknown>> {
  config: Flag<string>
  context: Flag<string>
  debug: Flag<boolean>
  host: Flag<string[]>
  'log-level': Flag<string>
  tls: Flag<boolean>
  tlscacert: Flag<string>
  tlscert: Flag<string>
  tlskey: Flag<string>
  tlsverify: Flag<boolean>
  version: Flag<boolean>
}

/** `configDirectory` shows up in the defaults. */
export function globalFlags(configDirectory: string): GlobalFlags {
  return {
    config: string('Location of client config files', { initial: configDirectory }),
    context: string(
      'Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "docker context use")',
      { short: 'c' },
    ),
    debug: bool('Enable debug mode', { short: 'D' }),
    host: list('Daemon socket to connect to', { short: 'H' }),
    'log-level': string('Set the logging level ("debug", "info", "warn", "error", "fatal")', { short: 'l', initial: 'info' }),
    tls: bool('Use TLS; implied by --tlsverify'),
    tlscacert: string('Trust certs signed only by this CA', { initial: join(configDirectory, 'ca.pem') }),
    tlscert: string('Path to TLS certificate file', { initial: join(configDirectory, 'cert.pem') }),
    tlskey: string('Path to TLS key file', { initial: join(configDirectory, 'key.pem') }),
    tlsverify: bool('Use TLS and verify the remote'),
    version: bool('Print version information and quit', { short: 'v' }),
  }
}
