/** For a file that nobody has named. */
const NAMELESS = 'download'

/**
 * What a downloaded file is called: as asked for, else as the server says, else as in the address. Never a path. Source: moby/buildkit source/http,
 * getFileName.
 */
export function downloadName(url: URL, asked: string, disposition: string | undefined): string {
  const [last = ''] = url.pathname.split('/').slice(-1)
  return plain(asked) ?? plain(named(disposition ?? '')) ?? plain(decoded(last)) ?? NAMELESS
}

/** `attachment; filename="a b.txt"`, or `filename*=UTF-8''a%20b.txt`, which counts more. Source: RFC 6266. */
function named(disposition: string): string {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition)?.[1]
  if (extended !== undefined) return decoded(extended)
  const [, quoted, token] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition) ?? []
  return quoted?.replace(/\\(.)/g, '$1') ?? token ?? ''
}

/** The last part; undefined when it can be no name. */
function plain(name: string): string | undefined {
  const [last = ''] = name.split('/').slice(-1)
  const isName = last !== '' && last !== '.' && last !== '..' && !last.includes('\0') && Buffer.byteLength(last) <= 255
  return isName ? last : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
