import type { ImageConfigFile, ImageHistoryEntry, ImageProcessConfig, Platform } from '#oci'
import { platformOf } from './platforms.ts'

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** An image's config while instructions change it. Owned by one stage. */
export interface ImageDraft {
  platform: Platform
  author: string | undefined
  config: ImageProcessConfig
  history: ImageHistoryEntry[]
}

/** `FROM scratch`. */
export function emptyImage(platform: Platform): ImageDraft {
  return { platform, author: undefined, config: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' }, history: [] }
}

/** What an image made of `base` begins with. Members that Docker's own image type does not have are left behind. */
export function imageFrom(base: ImageConfigFile): ImageDraft {
  return {
    platform: platformOf(base),
    author: base.author,
    config: structuredClone(base.config ?? {}),
    history: structuredClone(base.history ?? []),
  }
}

/** For a stage that continues another one. Triggers are for the next build only. */
export function continueImage({ platform, author, config, history }: ImageDraft): ImageDraft {
  const { OnBuild: _, ...rest } = structuredClone(config)
  return { platform, author, config: rest, history: structuredClone(history) }
}

/** The config file; layers are the exporter's. `created` (seconds) only where it is not to be the time of the build. */
export function imageFile({ platform, author, config, history }: ImageDraft, created: number | undefined): ImageConfigFile {
  return {
    ...platform,
    ...(created !== undefined && { created: isoTime(created) }),
    ...(author !== undefined && author !== '' && { author }),
    config,
    rootfs: { type: 'layers', diff_ids: [] },
    history,
  }
}

export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
