import { invalidArgument } from '#errors'
import type { ImageConfigFile } from './image-spec.ts'
import { array, digest, natural, object, optional, parseJsonObject, string, stringMap } from './shape.ts'

/** Bytes. Real configs stay under 100 KiB. */
export const MAX_CONFIG_SIZE: number = 8 * 1024 * 1024
const MAX_LAYERS = 1024
const MAX_HISTORY = 16_384
const MAX_LIST = 65_536

/**
 * Decodes an image configuration and checks the type of every member that Gantry reads; others are kept as they are. Null members are
 * dropped. Throws INVALID_ARGUMENT naming the member.
 */
export function decodeImageConfig(bytes: Uint8Array): ImageConfigFile {
  const file = withoutNulls(parseJsonObject(bytes, 'image config', MAX_CONFIG_SIZE))
  const rootfs = object(file['rootfs'], 'image config: rootfs')
  if (rootfs['type'] !== 'layers') throw invalidArgument('invalid image config: rootfs.type is not "layers"')
  const diffIds = array(rootfs['diff_ids'] ?? [], 'image config: rootfs.diff_ids', MAX_LAYERS, digest)
  for (const member of ['created', 'author', 'variant'] as const) optional(file[member], `image config: ${member}`, string)
  const history = optional(file['history'], 'image config: history', (entries, what) => array(entries, what, MAX_HISTORY, historyEntry))
  return {
    ...file,
    // Docker's oldest images lack these two; they were all made for one platform.
    architecture: string(file['architecture'] ?? 'amd64', 'image config: architecture'),
    os: string(file['os'] ?? 'linux', 'image config: os'),
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...(history === undefined ? {} : { history }),
    ...(file['config'] === undefined ? {} : { config: processConfig(file['config'], 'image config: config') }),
  }
}

function historyEntry(value: unknown, what: string): object {
  const entry = withoutNulls(object(value, what))
  for (const member of ['created', 'created_by', 'author', 'comment']) optional(entry[member], `${what}.${member}`, string)
  optional(entry['empty_layer'], `${what}.empty_layer`, boolean)
  return entry
}

const strings = (value: unknown, what: string): string[] => array(value, what, MAX_LIST, string)

/** What each member of `config` must be when it is there. */
const PROCESS_CONFIG: Readonly<Record<string, (value: unknown, what: string) => unknown>> = {
  User: string,
  ExposedPorts: object,
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  Volumes: object,
  WorkingDir: string,
  Labels: stringMap,
  StopSignal: string,
  ArgsEscaped: boolean,
  Healthcheck: healthcheck,
  Shell: strings,
  OnBuild: strings,
  StopTimeout: natural,
}

function processConfig(value: unknown, what: string): object {
  const config = withoutNulls(object(value, what))
  for (const [member, check] of Object.entries(PROCESS_CONFIG)) optional(config[member], `${what}.${member}`, check)
  return config
}

function healthcheck(value: unknown, what: string): void {
  const fields = object(value, what)
  optional(fields['Test'], `${what}.Test`, strings)
  for (const member of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'])
    optional(fields[member], `${what}.${member}`, integer)
}

function integer(value: unknown, what: string): void {
  if (!Number.isInteger(value)) throw invalidArgument(`invalid ${what}: not an integer`)
}

function boolean(value: unknown, what: string): void {
  if (typeof value !== 'boolean') throw invalidArgument(`invalid ${what}: not a boolean`)
}

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
