import { invalidArgument } from '#errors'

/**
 * What the stars of `pattern` stand for in `text`, from the left, each as much as it can; undefined: it does not match. A star stands for anything, `/` and
 * nothing included. Takes time in proportion to the text, whatever the pattern. Throws INVALID_ARGUMENT for `**`. Source: moby/buildkit util/wildcard.
 */
export function matchWildcard(pattern: string, text: string): string[] | undefined {
  if (pattern.includes('**'))
    throw invalidArgument(`failed to translate wildcard ${JSON.stringify(pattern)} to regexp: invalid wildcard: "**"`)
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === text ? [] : undefined
  let end = text.length - last.length
  if (!text.startsWith(first) || end < first.length || !text.endsWith(last)) return undefined
  // From the right: where each part comes last, the star in front of it gets the most.
  const stars: string[] = []
  for (const part of rest.toReversed()) {
    const at = part.length > end ? -1 : text.lastIndexOf(part, end - part.length)
    if (at < first.length) return undefined
    stars.unshift(text.slice(at + part.length, end))
    end = at
  }
  return [text.slice(first.length, end), ...stars]
}
