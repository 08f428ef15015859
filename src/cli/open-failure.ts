/** Why a file cannot be read, in the words of Go's errors: `open /x: no such file or directory`. `error`: what node:fs has thrown. */
export function openFailure(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EISDIR') return `read ${path}: is a directory`
  return `open ${path}: ${code === 'ENOENT' ? 'no such file or directory' : 'permission denied'}`
}
