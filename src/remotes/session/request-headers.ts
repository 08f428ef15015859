import type { OutgoingHttpHeaders } from 'node:http'
import type { RemoteOptions } from '../types.ts'

/**
 * What goes with every request, to other servers, too: nothing secret. `X-Meta-*` as dockerd passes them on; the client's name goes behind
 * ours.
 */
export function requestHeaders(userAgent: string, given: RemoteOptions['headers'] = {}): OutgoingHttpHeaders {
  const meta = Object.entries(given).filter(([name]) => /^x-meta-/i.test(name))
  const client = Object.entries(given).find(([name]) => name.toLowerCase() === 'user-agent')?.[1] ?? ''
  // Backslashes and brackets would end the comment that it is put into. Source: moby v28 dockerversion/useragent.go.
  const upstream = client === '' ? '' : ` UpstreamClient(${client.replace(/[\\()]/g, '\\$&')})`
  return { 'user-agent': userAgent + upstream, ...Object.fromEntries(meta) }
}
