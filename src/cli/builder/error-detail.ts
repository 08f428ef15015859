import type { ConnectError } from '#grpc'

/** What BuildKit says of an error beside its text: `Source`, `Solve`, as JSON. Undefined when it says nothing of this kind, or nothing that can be read. */
export function errorDetail(error: ConnectError, kind: 'Source' | 'Solve'): unknown {
  for (const detail of error.details) {
    if (!('type' in detail) || !new RegExp(`errdefs\\.${kind}(\\+json)?$`).test(detail.type)) continue
    try {
      return JSON.parse(Buffer.from(detail.value).toString()) as unknown
    } catch {
      return undefined
    }
  }
  return undefined
}
