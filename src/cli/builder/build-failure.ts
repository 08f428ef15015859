import { sourceExcerpt } from '#dockerfile'
import { ConnectError } from '#grpc'

/** `errdefs.Source` of BuildKit, as JSON has it. */
interface SourceDetail {
  info?: { filename?: string; data?: string }
  ranges?: { start?: { line?: number }; end?: { line?: number } }[]
}

/** What went wrong as the user is told: the place in the Dockerfile, and the text. Throws nothing. */
export function failureMessage(error: unknown): { excerpt: string; message: string } {
  if (!(error instanceof ConnectError)) return { excerpt: '', message: error instanceof Error ? error.message : String(error) }
  return { excerpt: excerptOf(error), message: error.rawMessage }
}

function excerptOf(error: ConnectError): string {
  for (const detail of error.details) {
    if (!('type' in detail) || !detail.type.endsWith('errdefs.Source')) continue
    try {
      const { info, ranges } = JSON.parse(Buffer.from(detail.value).toString()) as SourceDetail
      const [range] = ranges ?? []
      const start = range?.start?.line
      if (start === undefined) continue
      const file = { name: info?.filename ?? '', text: Buffer.from(info?.data ?? '', 'base64').toString() }
      return sourceExcerpt({ file, start, end: range?.end?.line ?? start })
    } catch {
      // What cannot be read is not shown; the text says what has happened.
    }
  }
  return ''
}
