import { sourceExcerpt } from '#dockerfile'
import { ConnectError } from '#grpc'
import { errorDetail } from './error-detail.ts'

/** `errdefs.Source` of BuildKit. */
interface SourceDetail {
  info?: { filename?: string; data?: string }
  ranges?: { start?: { line?: number }; end?: { line?: number } }[]
}

/** What went wrong as the user is told: the place in the Dockerfile, and the text. */
export function failureMessage(error: unknown): { excerpt: string; message: string } {
  if (!(error instanceof ConnectError)) return { excerpt: '', message: error instanceof Error ? error.message : String(error) }
  return { excerpt: excerptOf(error), message: error.rawMessage }
}

function excerptOf(error: ConnectError): string {
  const { info, ranges } = (errorDetail(error, 'Source') ?? {}) as SourceDetail
  const range = ranges?.[0]
  const start = range?.start?.line
  if (start === undefined) return ''
  const file = { name: info?.filename ?? '', text: Buffer.from(info?.data ?? '', 'base64').toString() }
  return sourceExcerpt({ file, start, end: range?.end?.line ?? start })
}
