import { codeOf, conflict } from '#errors'
import type { Image } from '#images'
import { familiarString, parseReference, withDefaultTag, type ImageProcessConfig } from '#oci'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { mergeConfig } from './merge-config.ts'
import { pauseContainer, unpauseContainer } from './pause.ts'
import { publishEvent } from './publish-event.ts'
import type { ContainerConfig } from './configuration.ts'
import type { CommitRequest, Container } from './types.ts'

/**
 * `docker commit`: the container's own layer becomes an image on top of the one it was made from. The settings are the request's with the container's
 * under them, then the request's `changes`. A running container is frozen meanwhile when asked for, so that its files fit together. Throws CONFLICT for
 * a container on its way out.
 */
export async function commitContainer(ctx: Context, ref: string, options: CommitRequest): Promise<{ id: string }> {
  const entry = ctx.store.find(ref)
  const { status } = entry.record.state
  if (status === 'dead') throw conflict(`You cannot commit container ${entry.id} which is Dead`)
  if (status === 'removing') throw conflict(`You cannot commit container ${entry.id} which is being removed`)
  const image = await frozen(ctx, entry, options.pause, () => saveImage(ctx, entry.record, options))
  const imageRef = options.repo === '' ? '' : shownReference(options)
  publishEvent(ctx, entry.record, 'commit', { comment: options.comment, imageID: image.id, imageRef })
  return { id: image.id }
}

/** `alpine:latest`, as in events. */
function shownReference({ repo, tag }: CommitRequest): string {
  return familiarString(withDefaultTag({ ...parseReference(repo), ...(tag !== '' && { tag }) }))
}

function saveImage({ deps }: Context, { id, imageId, config }: Container, options: CommitRequest): Promise<Image> {
  const own = options.config === undefined ? config : mergeConfig(fromImageConfig(options.config), toImageConfig(config))
  return deps.images.commit({
    key: id,
    parent: imageId as Image['id'] | '',
    config: toImageConfig(own),
    repo: options.repo,
    tag: options.tag,
    comment: options.comment,
    author: options.author,
    createdBy: (config.cmd ?? []).join(' '),
    changes: options.changes,
  })
}

/** Runs `work` with the container frozen, if it runs. It may end before, or meanwhile, or be paused or unpaused by somebody else: then as it is. */
async function frozen<T>(ctx: Context, entry: ContainerEntry, wanted: boolean, work: () => Promise<T>): Promise<T> {
  if (!wanted || entry.record.state.status !== 'running') return await work()
  await using undo = new AsyncDisposableStack()
  if (await succeeds(pauseContainer(ctx, entry.id))) undo.defer(async () => void (await succeeds(unpauseContainer(ctx, entry.id))))
  return await work()
}

/** Whether the container was in a state for it; other errors are thrown. */
async function succeeds(change: Promise<void>): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    if (codeOf(error) === 'CONFLICT' || codeOf(error) === 'NOT_FOUND') return false
    throw error
  }
}

/** What of a container's settings an image keeps. */
export function toImageConfig(config: ContainerConfig): ImageProcessConfig {
  const { healthcheck, stopTimeout } = config
  return {
    User: config.user,
    ExposedPorts: config.exposedPorts.length === 0 ? null : asSet(config.exposedPorts),
    Env: config.env,
    Entrypoint: config.entrypoint,
    Cmd: config.cmd,
    Volumes: config.volumes.length === 0 ? null : asSet(config.volumes),
    WorkingDir: config.workingDir,
    Labels: config.labels,
    OnBuild: config.onBuild,
    ...(config.stopSignal !== '' && { StopSignal: config.stopSignal }),
    ...(config.argsEscaped && { ArgsEscaped: true }),
    ...(config.shell !== null && { Shell: config.shell }),
    ...(stopTimeout !== undefined && { StopTimeout: stopTimeout }),
    ...(healthcheck !== undefined && {
      Healthcheck: {
        Test: healthcheck.test,
        Interval: healthcheck.interval,
        Timeout: healthcheck.timeout,
        StartPeriod: healthcheck.startPeriod,
        StartInterval: healthcheck.startInterval,
        Retries: healthcheck.retries,
      },
    }),
  }
}

/** The other direction; what the image's config does not say is left out. */
function fromImageConfig(config: ImageProcessConfig): Partial<ContainerConfig> {
  const { Healthcheck: health } = config
  return {
    user: config.User ?? '',
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    env: config.Env ?? [],
    entrypoint: config.Entrypoint ?? null,
    cmd: config.Cmd ?? null,
    volumes: Object.keys(config.Volumes ?? {}),
    workingDir: config.WorkingDir ?? '',
    labels: config.Labels ?? {},
    onBuild: config.OnBuild ?? null,
    stopSignal: config.StopSignal ?? '',
    argsEscaped: config.ArgsEscaped ?? false,
    shell: config.Shell ?? null,
    ...(config.StopTimeout !== undefined && { stopTimeout: config.StopTimeout }),
    ...(health !== undefined && {
      healthcheck: {
        test: health.Test ?? [],
        interval: health.Interval ?? 0,
        timeout: health.Timeout ?? 0,
        startPeriod: health.StartPeriod ?? 0,
        startInterval: health.StartInterval ?? 0,
        retries: health.Retries ?? 0,
      },
    }),
  }
}

function asSet(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]))
}
