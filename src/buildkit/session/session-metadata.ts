import { metadataHeaders } from '#grpc'

type Values = Readonly<Record<string, string | readonly string[]>>

/**
 * Headers of a call to the client. Values that are not plain ASCII are escaped, and a header beside them says so. Source: moby/buildkit session/filesync,
 * encodeOpts.
 */
export function sessionHeaders(values: Values): Record<string, string> {
  const headers: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(values)) {
    const list = typeof value === 'string' ? [value] : value
    const isPlain = list.every((text) => /^[\x20-\x7e]*$/.test(text) && text.trim() === text)
    headers[name] = isPlain ? value : list.map(queryEscape)
    if (!isPlain) headers[`${name}-encoded`] = '1'
  }
  return metadataHeaders(headers)
}

/** As Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
