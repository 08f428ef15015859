import type { ImageHistoryItem, ImageSummary } from '#api'
import { formatNano, humanDuration, humanSize, shortId } from '#lib'
import { familiarName, parseReference } from '#oci'
import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'
import { ellipsis, goTime } from './text.ts'

const SIZE_PRECISION = 3
const CREATED_BY_COLUMNS = 45
const NONE = '<none>'

const CREATED = '{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}'

export const IMAGE_LIST: ListFormat = {
  table: `{{.Repository}}\t{{.Tag}}\t{{.ID}}\t${CREATED}\t{{.Size}}`,
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    Containers: 'CONTAINERS',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
  },
}

export const IMAGE_TABLE_WITH_DIGEST: string = `{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t${CREATED}\t{{.Size}}`

export interface ImageRow {
  image: ImageSummary
  repository: string
  tag: string
  digest: string
}

/** One row for each tag (and digest, when digests are shown) of each image. */
export function imageRows(images: readonly ImageSummary[], withDigest: boolean): ImageRow[] {
  return images.flatMap((image) => {
    const tags = group(image.RepoTags ?? [], `${NONE}:${NONE}`, (reference) => reference.tag)
    const digests = group(image.RepoDigests ?? [], `${NONE}@${NONE}`, (reference) => reference.digest)
    if (tags.size === 0 && digests.size === 0) return [{ image, repository: NONE, tag: NONE, digest: NONE }]
    const rows: ImageRow[] = []
    for (const [repository, names] of tags) {
      const known = withDigest ? (digests.get(repository) ?? []) : []
      digests.delete(repository)
      for (const tag of names) {
        for (const digest of known.length === 0 ? [NONE] : known) rows.push({ image, repository, tag, digest })
      }
    }
    for (const [repository, known] of digests) {
      for (const digest of withDigest ? known : ['']) rows.push({ image, repository, tag: NONE, digest })
    }
    return rows
  })
}

function group(
  references: readonly string[],
  placeholder: string,
  part: (reference: ReturnType<typeof parseReference>) => string | undefined,
): Map<string, string[]> {
  const result = new Map<string, string[]>()
  for (const text of references) {
    if (text === placeholder) continue
    try {
      const reference = parseReference(text)
      const value = part(reference)
      const name = familiarName(reference)
      if (value !== undefined) result.set(name, [...(result.get(name) ?? []), value])
    } catch {
      continue // a name that cannot be read cannot be shown
    }
  }
  return result
}

/** A row of `docker images`. `now` in milliseconds. */
export function imageView({ image, repository, tag, digest }: ImageRow, options: { truncate: boolean; now: number }): View {
  return new View('*formatter.imageContext', {
    ID: () => (options.truncate ? shortId(image.Id) : image.Id),
    Repository: () => repository,
    Tag: () => tag,
    Digest: () => digest,
    CreatedSince: () => `${humanDuration(options.now - image.Created * 1000)} ago`,
    CreatedAt: () => goTime(image.Created),
    Size: () => humanSize(image.Size, SIZE_PRECISION),
    Containers: () => (image.Containers === -1 ? 'N/A' : String(image.Containers)),
    VirtualSize: () => humanSize(image.Size),
    SharedSize: () => (image.SharedSize === -1 ? 'N/A' : humanSize(image.SharedSize)),
    UniqueSize: () => (image.Size === -1 || image.SharedSize === -1 ? 'N/A' : humanSize(image.Size - image.SharedSize)),
  })
}

export const HISTORY_LIST: ListFormat = {
  table: '{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}',
  headers: { ID: 'IMAGE', CreatedSince: 'CREATED', CreatedAt: 'CREATED AT', CreatedBy: 'CREATED BY', Size: 'SIZE', Comment: 'COMMENT' },
}

/** `docker history` without `--human`. */
export const HISTORY_RAW_TABLE = '{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}'

/** A row of `docker history`. */
export function historyView(item: ImageHistoryItem, options: { truncate: boolean; human: boolean; now: number }): View {
  const createdAt = formatNano(BigInt(item.Created) * 1_000_000_000n)
  return new View('*image.historyContext', {
    ID: () => (options.truncate ? shortId(item.Id) : item.Id),
    CreatedAt: () => createdAt,
    CreatedSince: () => {
      // A Dockerfile's SOURCE_DATE_EPOCH may leave no time; Go's zero time then is no answer.
      if (item.Created <= 0) return 'N/A'
      return options.human ? `${humanDuration(options.now - item.Created * 1000)} ago` : createdAt
    },
    CreatedBy: () => {
      const line = item.CreatedBy.replaceAll('\t', ' ')
      return options.truncate ? ellipsis(line, CREATED_BY_COLUMNS) : line
    },
    Size: () => (options.human ? humanSize(item.Size, SIZE_PRECISION) : String(item.Size)),
    Comment: () => item.Comment,
  })
}
