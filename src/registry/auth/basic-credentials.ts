import type { IncomingMessage } from 'node:http'

/** `Authorization: Basic`, or undefined when there is none or it is malformed. Source: RFC 7617, section 2; UTF-8. */
export function basicCredentials(request: Pick<IncomingMessage, 'headers'>): { name: string; password: string } | undefined {
  const encoded = /^basic +([\w+/=-]+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString('utf8')
  const at = decoded.indexOf(':')
  return at < 0 ? undefined : { name: decoded.slice(0, at), password: decoded.slice(at + 1) }
}
