import type { ImageProcessConfig } from '#oci'
import type { ContainerConfig, Healthcheck } from './configuration.ts'

/**
 * The image's settings under the user's: what the user left out comes from the image, lists of env, labels, ports and volumes are joined with
 * the user's winning. An entrypoint of the user's drops the image's cmd too. Hostname and the like stay as given; see `create.ts`.
 * Source: moby daemon/commit.go, merge.
 */
export function mergeConfig(user: Partial<ContainerConfig>, image: ImageProcessConfig | undefined): ContainerConfig {
  const own: ContainerConfig = { ...EMPTY, ...withoutUndefined(user) }
  const merged = image === undefined ? own : underlay(own, image)
  // Docker's way to say "no entrypoint" in an old client.
  if (merged.entrypoint?.length === 1 && merged.entrypoint[0] === '') merged.entrypoint = null
  return merged
}

const EMPTY: ContainerConfig = {
  hostname: '',
  domainname: '',
  user: '',
  attachStdin: false,
  attachStdout: false,
  attachStderr: false,
  exposedPorts: [],
  tty: false,
  openStdin: false,
  stdinOnce: false,
  env: [],
  cmd: null,
  entrypoint: null,
  argsEscaped: false,
  image: '',
  volumes: [],
  workingDir: '',
  networkDisabled: false,
  onBuild: null,
  labels: {},
  stopSignal: '',
  shell: null,
}

function underlay(own: ContainerConfig, image: ImageProcessConfig): ContainerConfig {
  const merged: ContainerConfig = {
    ...own,
    user: own.user || (image.User ?? ''),
    exposedPorts: union(own.exposedPorts, Object.keys(image.ExposedPorts ?? {})),
    env: [...own.env, ...(image.Env ?? []).filter((entry) => !own.env.some((mine) => key(mine) === key(entry)))],
    labels: { ...image.Labels, ...own.labels },
    workingDir: own.workingDir || (image.WorkingDir ?? ''),
    volumes: union(own.volumes, Object.keys(image.Volumes ?? {})),
    stopSignal: own.stopSignal || (image.StopSignal ?? ''),
    shell: own.shell ?? image.Shell ?? null,
    onBuild: own.onBuild ?? image.OnBuild ?? null,
  }
  if (own.entrypoint === null || own.entrypoint.length === 0) {
    if (own.cmd === null || own.cmd.length === 0) {
      merged.cmd = image.Cmd ?? null
      merged.argsEscaped = image.ArgsEscaped ?? false
    }
    // An empty list, unlike none at all, clears the image's entrypoint.
    if (own.entrypoint === null) merged.entrypoint = image.Entrypoint ?? null
  }
  const healthcheck = mergeHealthcheck(own.healthcheck, image.Healthcheck)
  if (healthcheck !== undefined) merged.healthcheck = healthcheck
  return merged
}

function mergeHealthcheck(own: Healthcheck | undefined, image: ImageProcessConfig['Healthcheck']): Healthcheck | undefined {
  if (own === undefined && image === undefined) return undefined
  return {
    test: own?.test.length ? own.test : (image?.Test ?? []),
    interval: own?.interval || (image?.Interval ?? 0),
    timeout: own?.timeout || (image?.Timeout ?? 0),
    startPeriod: own?.startPeriod || (image?.StartPeriod ?? 0),
    startInterval: own?.startInterval || (image?.StartInterval ?? 0),
    retries: own?.retries || (image?.Retries ?? 0),
  }
}

/** Program and arguments. */
export function commandOf(config: Pick<ContainerConfig, 'entrypoint' | 'cmd'>): { path: string; args: string[] } {
  const [path = '', ...args] = [...(config.entrypoint ?? []), ...(config.cmd ?? [])]
  return { path, args }
}

function union(own: string[], others: string[]): string[] {
  return [...new Set([...own, ...others])]
}

function key(entry: string): string {
  return entry.split('=', 1)[0] ?? ''
}

/** A member that is there but undefined means "not given" too. */
export function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never
}
