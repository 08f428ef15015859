import { readFile, stat } from 'node:fs/promises'

/** Costs above this would let one login keep the server busy for minutes. */
const MAX_COST = 16

/** Entries of an htpasswd file: bcrypt hash by user. The file is read again when it has changed; a file that cannot be read leaves the last state. */
export interface HtpasswdFile {
  entries(): Promise<ReadonlyMap<string, string>>
}

/**
 * Reads the file once, to fail early: throws Error with the line that is wrong. Later changes that cannot be read are told to `failed` and leave
 * what was read before in force.
 */
export async function openHtpasswdFile(path: string, failed: (error: Error) => void): Promise<HtpasswdFile> {
  let version = await versionOf(path)
  let current = parseHtpasswd(await readFile(path, 'utf8'), path)
  return {
    async entries() {
      try {
        const found = await versionOf(path)
        if (found === version) return current
        // Remembered first: a broken file is complained about once, not with every request.
        version = found
        current = parseHtpasswd(await readFile(path, 'utf8'), path)
      } catch (error) {
        failed(error as Error)
      }
      return current
    },
  }
}

/** Editors replace files or write into them: either changes one of these. */
async function versionOf(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true })
  return `${ino}:${size}:${mtimeNs}`
}

/**
 * `name:$2y$10$…` per line, `#` comments and empty lines. Only bcrypt: the other formats of Apache's htpasswd can be guessed by brute force.
 * Throws Error naming the line. Source: Apache HTTP Server, "Password Formats".
 */
export function parseHtpasswd(content: string, path: string): Map<string, string> {
  const entries = new Map<string, string>()
  for (const [index, raw] of content.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const at = line.indexOf(':')
    const hash = line.slice(at + 1)
    const cost = Number(/^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1])
    if (at < 1 || !(cost >= 4 && cost <= MAX_COST)) {
      throw new Error(`${path}: line ${index + 1}: wanted is NAME:BCRYPT (htpasswd -B) of a cost up to ${MAX_COST}`)
    }
    entries.set(line.slice(0, at), hash)
  }
  return entries
}
