/** A flag of `gantry registry …`. Most stand for a key of the configuration file and win over it. */
export interface Option {
  readonly flag: string
  /** Keys in the file, from the outside in; undefined: the flag is looked at by the command itself. */
  readonly keys?: readonly string[]
  readonly kind: 'text' | 'switch' | 'list'
  /** What help shows as the value. */
  readonly value?: string
  readonly help: string
}

export interface RegistryCommand {
  readonly name: string
  readonly short: string
  readonly options: readonly Option[]
}

const SHARED: readonly Option[] = [
  { flag: 'config', kind: 'text', value: 'file', help: "Configuration file (YAML, docker-registry's keys)" },
  { flag: 'help', kind: 'switch', help: 'Print usage' },
  { flag: 'log-format', keys: ['log', 'formatter'], kind: 'text', help: 'Format of the log: text or json (default "text")' },
  { flag: 'log-level', keys: ['log', 'level'], kind: 'text', help: 'Level of the log: debug, info, warn, error (default "info")' },
  { flag: 'root', keys: ['storage', 'filesystem', 'rootdirectory'], kind: 'text', value: 'dir', help: 'Directory of the content' },
]

const SERVE: readonly Option[] = [
  { flag: 'allow-delete', keys: ['storage', 'delete', 'enabled'], kind: 'switch', help: 'Let clients delete manifests and blobs' },
  {
    flag: 'debug-listen',
    keys: ['http', 'debug', 'addr'],
    kind: 'text',
    value: 'host:port',
    help: 'Second address, for health and metrics',
  },
  { flag: 'htpasswd', keys: ['auth', 'htpasswd', 'path'], kind: 'text', value: 'file', help: 'Users and passwords (htpasswd -B)' },
  { flag: 'listen', keys: ['http', 'addr'], kind: 'text', value: 'host:port', help: 'Address to listen on (default ":5000")' },
  { flag: 'metrics', keys: ['http', 'debug', 'prometheus', 'enabled'], kind: 'switch', help: 'Serve Prometheus metrics on /metrics' },
  { flag: 'proxy-remote', keys: ['proxy', 'remoteurl'], kind: 'text', value: 'url', help: 'Be a pull-through cache of this registry' },
  { flag: 'read-only', keys: ['storage', 'maintenance', 'readonly', 'enabled'], kind: 'switch', help: 'Refuse every change' },
  { flag: 'tls-ca', keys: ['http', 'tls', 'clientcas'], kind: 'list', value: 'file', help: 'Only clients with a certificate of this CA' },
  { flag: 'tls-cert', keys: ['http', 'tls', 'certificate'], kind: 'text', value: 'file', help: 'Certificate of the server' },
  { flag: 'tls-key', keys: ['http', 'tls', 'key'], kind: 'text', value: 'file', help: 'Key of the server' },
]

const COLLECT: readonly Option[] = [
  { flag: 'delete-untagged', kind: 'switch', help: 'Remove manifests that no tag names, too' },
  { flag: 'dry-run', kind: 'switch', help: 'Only say what would be removed' },
]

/** The commands below `gantry registry`. */
export const COMMANDS: readonly RegistryCommand[] = [
  { name: 'garbage-collect', short: 'Remove content that nothing refers to', options: [...COLLECT, ...SHARED] },
  { name: 'serve', short: 'Serve images to clients', options: [...SERVE, ...SHARED] },
].map((command) => ({ ...command, options: command.options.toSorted((a, b) => (a.flag < b.flag ? -1 : 1)) }))
