/** `Config` of create and inspect. */

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

/** The part of `Config` that an image keeps, for `POST /commit`. */
export function toImageConfig(config: Partial<ContainerConfig>): ImageProcessConfig {
  const result: ImageProcessConfig = {}
  if (config.user !== undefined) result.User = config.user
  if (config.exposedPorts !== undefined) result.ExposedPorts = nameSet.encode(config.exposedPorts, 0) as Record<string, object>
  if (config.env !== undefined) result.Env = config.env
  if (config.entrypoint) result.Entrypoint = config.entrypoint
  if (config.cmd) result.Cmd = config.cmd
  if (config.volumes !== undefined) result.Volumes = nameSet.encode(config.volumes, 0) as Record<string, object>
  if (config.workingDir !== undefined) result.WorkingDir = config.workingDir
  if (config.labels !== undefined) result.Labels = config.labels
  if (config.stopSignal !== undefined) result.StopSignal = config.stopSignal
  if (config.argsEscaped !== undefined) result.ArgsEscaped = config.argsEscaped
  if (config.healthcheck !== undefined) {
    const { test, interval, timeout, startPeriod, startInterval, retries } = config.healthcheck
    result.Healthcheck = {
      Test: test,
      Interval: interval,
      Timeout: timeout,
      StartPeriod: startPeriod,
      StartInterval: startInterval,
      Retries: retries,
    }
  }
  if (config.shell) result.Shell = config.shell
  if (config.onBuild) result.OnBuild = config.onBuild
  if (config.stopTimeout !== undefined) result.StopTimeout = config.stopTimeout
  return result
}
