/** `Config` of create and inspect. */

import { MAX_API_VERSION } from '#api'
import type { ContainerConfig, Healthcheck } from '#containers'
import type { ImageProcessConfig } from '#oci'
import { field, flag, integer, nameSet, stringOrList, struct, text, textList, textMap, type FieldTable, type StructCodec } from './codec.ts'

const duration = integer('time.Duration')

const healthcheck: StructCodec<Healthcheck> = struct<Healthcheck>('container.HealthConfig', {
  test: field('Test', textList, { zero: 'omit' }),
  interval: field('Interval', duration, { zero: 'omit' }),
  timeout: field('Timeout', duration, { zero: 'omit' }),
  startPeriod: field('StartPeriod', duration, { zero: 'omit' }),
  startInterval: field('StartInterval', duration, { zero: 'omit', since: 44 }),
  retries: field('Retries', integer('int'), { zero: 'omit' }),
})

const NO_HEALTHCHECK: Healthcheck = { test: [], interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }

export const containerConfigFields: FieldTable<ContainerConfig> = {
  hostname: field('Hostname', text),
  domainname: field('Domainname', text),
  user: field('User', text),
  attachStdin: field('AttachStdin', flag),
  attachStdout: field('AttachStdout', flag),
  attachStderr: field('AttachStderr', flag),
  exposedPorts: field('ExposedPorts', nameSet, { zero: 'omit' }),
  tty: field('Tty', flag),
  openStdin: field('OpenStdin', flag),
  stdinOnce: field('StdinOnce', flag),
  env: field('Env', textList, { absent: null }),
  cmd: field('Cmd', stringOrList, { absent: null }),
  healthcheck: field('Healthcheck', healthcheck.complete(NO_HEALTHCHECK)),
  argsEscaped: field('ArgsEscaped', flag, { zero: 'omit' }),
  image: field('Image', text),
  volumes: field('Volumes', nameSet, { zero: 'null', absent: null }),
  workingDir: field('WorkingDir', text),
  entrypoint: field('Entrypoint', stringOrList, { absent: null }),
  networkDisabled: field('NetworkDisabled', flag, { zero: 'omit' }),
  onBuild: field('OnBuild', textList, { absent: null }),
  labels: field('Labels', textMap),
  stopSignal: field('StopSignal', text, { zero: 'omit' }),
  stopTimeout: field('StopTimeout', integer('int')),
  shell: field('Shell', stringOrList, { zero: 'omit' }),
}

export const containerConfig: StructCodec<ContainerConfig> = struct<ContainerConfig>('container.Config', containerConfigFields)

type ImageMembers = Pick<
  ContainerConfig,
  | 'user'
  | 'exposedPorts'
  | 'env'
  | 'entrypoint'
  | 'cmd'
  | 'volumes'
  | 'workingDir'
  | 'labels'
  | 'stopSignal'
  | 'argsEscaped'
  | 'healthcheck'
  | 'shell'
  | 'onBuild'
  | 'stopTimeout'
>

const { user, exposedPorts, env, entrypoint, cmd, volumes, workingDir } = containerConfigFields
const { labels, stopSignal, argsEscaped, healthcheck: probe, shell, onBuild, stopTimeout } = containerConfigFields

const imageConfig = struct<ImageMembers>('container.Config', {
  user,
  exposedPorts,
  env,
  entrypoint,
  cmd,
  volumes,
  workingDir,
  labels,
  stopSignal,
  argsEscaped,
  healthcheck: probe,
  shell,
  onBuild,
  stopTimeout,
})

/** The part of `Config` that an image keeps, for `POST /commit`: what was sent, under wire names. */
export function toImageConfig(config: Partial<ContainerConfig>): ImageProcessConfig {
  const sent = imageConfig.encode(config as ImageMembers, MAX_API_VERSION)
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null))
}
