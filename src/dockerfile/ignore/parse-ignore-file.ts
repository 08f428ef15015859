import { posix } from 'node:path'
import { DockerfileError } from '../dockerfile-error.ts'

/** Characters; the file comes from a client. */
const MAX_TEXT = 1024 * 1024

/**
 * The patterns of a `.dockerignore`: comments and empty lines left out, blanks, `./` and a `/` in front removed; `!` stays in front.
 * Throws {@link DockerfileError} for a file of more than a mebicharacter. Source: moby/patternmatcher ignorefile.
 */
export function parseIgnoreFile(text: string): string[] {
  if (text.length > MAX_TEXT) throw new DockerfileError(`ignore file greater than max allowed size of ${MAX_TEXT} characters`)
  const patterns: string[] = []
  for (const line of text.replace(/^\uFEFF/, '').split('\n')) {
    const pattern = line.trim()
    // Only a `#` in the first column makes a comment.
    if (line.startsWith('#') || pattern === '') continue
    if (pattern.startsWith('!')) patterns.push(`!${clean(pattern.slice(1).trim())}`)
    else patterns.push(clean(pattern))
  }
  return patterns
}

function clean(pattern: string): string {
  if (pattern === '') return ''
  const normal = posix.normalize(pattern).replace(/(?<=.)\/$/, '')
  return normal.length > 1 ? normal.replace(/^\//, '') : normal
}
