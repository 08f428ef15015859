/**
 * A matcher for repository names: `*` stands for any text within a segment, `**` for any text at all, `?` for one character of a segment. Everything
 * else stands for itself; a name matches as a whole.
 */
export function repositoryGlob(glob: string): (name: string) => boolean {
  const source = glob.replace(/\*\*|[\s\S]/gu, (token) => {
    if (token === '**') return '.*'
    if (token === '*') return '[^/]*'
    if (token === '?') return '[^/]'
    return token.replace(/[\\^$.|+()[\]{}]/, '\\$&')
  })
  const pattern = new RegExp(`^${source}$`, 'su')
  return (name) => pattern.test(name)
}
