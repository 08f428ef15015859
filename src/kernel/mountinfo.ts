/** The mount table of a process as the kernel writes it. Source: proc_pid_mountinfo(5). */

export interface MountinfoEntry {
  /** What part of the file system is mounted, `/` for all. */
  root: string
  /** Without links, escapes resolved. */
  mountPoint: string
  /** `shared:N`, `master:N` … */
  optional: string[]
  type: string
  source: string
  /** Options of the file system itself: for cgroup v1 the controllers. */
  superOptions: string[]
}

/** One entry per mount, in the order they were made; the last one at a mount point is the one that is seen. */
export function parseMountinfo(text: string): MountinfoEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [, , , root = '', mountPoint = '', , ...optional] = before.split(' ')
      const [type = '', source = '', superOptions = ''] = after.split(' ')
      return {
        root: unescape(root),
        mountPoint: unescape(mountPoint),
        optional,
        type,
        source: unescape(source),
        superOptions: superOptions.split(','),
      }
    })
}

/** Blanks, tabs, newlines and backslashes in names are written in octal, byte by byte. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
