import type { ImageConfigFile, ImageHistoryEntry, ImageProcessConfig, Platform } from '#oci'
import { Environment } from './environment.ts'
import { platformOf } from './platforms.ts'

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** An image's config while instructions change it. Owned by one stage. */
export interface ImageDraft {
  platform: Platform
  author: string | undefined
  /** Without `Env`, which is `environment`. */
  config: ImageProcessConfig
  environment: Environment
  history: ImageHistoryEntry[]
  /** Characters in the lines that have been added. */
  historyLength: number
}

/** `FROM scratch`. */
export function emptyImage(platform: Platform): ImageDraft {
  return {
    platform,
    author: undefined,
    config: { WorkingDir: '/' },
    environment: Environment.parse([]),
    history: [],
    historyLength: 0,
  }
}

/** What an image made of `base` begins with. Members that Docker's own image type does not have are left behind. */
export function imageFrom(base: ImageConfigFile): ImageDraft {
  const { Env, ...config } = structuredClone(base.config ?? {})
  return {
    platform: platformOf(base),
    author: base.author,
    config,
    environment: Environment.parse(Env ?? []),
    history: [...(base.history ?? [])],
    historyLength: 0,
  }
}

/** For a stage that continues another one. Triggers are for the next build only. */
export function continueImage({ platform, author, config, environment, history, historyLength }: ImageDraft): ImageDraft {
  const { OnBuild: _, ...rest } = structuredClone(config)
  return { platform, author, config: rest, environment: environment.copy(), history: [...history], historyLength }
}

/** What commands in shell form run in: what SHELL has said, else the system's own. */
export function shellOf({ config, platform }: ImageDraft): readonly string[] {
  const { Shell: shell = [] } = config
  if (shell.length > 0) return shell
  return platform.os === 'windows' ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c']
}

/** The config file; layers are the exporter's. `created` (seconds) only where it is not to be the time of the build. */
export function imageFile({ platform, author, config, environment, history }: ImageDraft, created: number | undefined): ImageConfigFile {
  return {
    ...platform,
    ...(created !== undefined && { created: isoTime(created) }),
    ...(author !== undefined && author !== '' && { author }),
    config: { ...(environment.entries().length > 0 && { Env: [...environment.entries()] }), ...config },
    rootfs: { type: 'layers', diff_ids: [] },
    history,
  }
}

export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
