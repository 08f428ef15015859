import { invalidArgument } from '#errors'
import { MAX_CONFIG_SIZE } from '#oci'
import { isoTime, shellOf } from './image-draft.ts'
import type { ImageDraft } from './image-draft.ts'
import type { HistoryStyle } from './options.ts'

/** What an instruction leaves in an image's history. */
export interface HistoryNote {
  /** As BuildKit writes it, without `# buildkit`: `COPY a b`. */
  text: string
  /** As dockerd's own builder wrote it, where that is not `text`; for RUN with shell and arguments. */
  classic?: string
  /** `metadata`: only the config changes. `command`: what RUN did. `files`: COPY, ADD. `directory`: WORKDIR. */
  kind: 'metadata' | 'command' | 'files' | 'directory'
  /** A step belongs to it, and so a layer. */
  hasLayer: boolean
}

export interface HistoryOptions {
  style: HistoryStyle
  /** Seconds; undefined: the time of the build, which the exporter knows. */
  created: number | undefined
}

/** Appends `note`. Throws INVALID_ARGUMENT when the config becomes too large to be read again. Source: moby/buildkit dockerfile2llb/convert.go, commitToHistory; moby daemon/builder/dockerfile/dispatchers.go. */
export function addHistory(image: ImageDraft, note: HistoryNote, { style, created }: HistoryOptions): void {
  const text = style === 'classic' ? classicText(note, image) : buildkitText(note)
  image.historyLength += text.length
  // Each RUN has all arguments in its line.
  if (image.historyLength > MAX_CONFIG_SIZE) throw invalidArgument(`the image's history has more than ${MAX_CONFIG_SIZE} characters`)
  image.history.push({
    ...(created !== undefined && { created: isoTime(created) }),
    created_by: text,
    ...(style === 'classic' ? image.author !== undefined && { author: image.author } : { comment: 'buildkit.dockerfile.v0' }),
    ...(!note.hasLayer && { empty_layer: true }),
  })
}

function buildkitText({ text, kind }: HistoryNote): string {
  return kind === 'command' || kind === 'files' ? `${text} # buildkit` : text
}

/** The command that the classic builder would have run, behind `#(nop)` when it ran none. Two blanks before what only changes the config, as ever. */
function classicText({ text, classic = text, kind }: HistoryNote, image: ImageDraft): string {
  if (kind === 'command') return classic
  return `${shellOf(image).join(' ')} #(nop) ${kind === 'metadata' ? ' ' : ''}${classic}`
}
