import type { IncomingMessage } from 'node:http'
import type { HttpConfig } from '../config/http-section.ts'

/** Scheme and host by which clients reach this server, without a slash at the end. */
export interface PublicUrl {
  ofRequest(request: IncomingMessage): string
  /** Where only the name is known that a client called us by. */
  ofHost(host: string): string
}

export function createPublicUrl({ externalUrl, tls }: Pick<HttpConfig, 'externalUrl' | 'tls'>): PublicUrl {
  const own = tls === undefined ? 'http' : 'https'
  const join = (scheme: string, host: string): string => externalUrl ?? `${scheme}://${host}`
  return {
    ofRequest({ headers }) {
      // A proxy that ends TLS says so; a client that says it deceives only itself.
      const forwarded = headers['x-forwarded-proto']
      return join(forwarded === 'https' || forwarded === 'http' ? forwarded : own, headers.host ?? 'localhost')
    },
    ofHost: (host) => join(own, host),
  }
}
