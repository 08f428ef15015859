import { readFile } from 'node:fs/promises'

/** What `docker top` shows: column titles and, per process, as many fields. */
export interface ProcessList {
  titles: string[]
  processes: string[][]
}

/** Clock ticks per second in /proc: fixed to 100 for user space on every architecture Node runs on (proc_pid_stat(5), sysconf(3)). */
const TICKS_PER_SECOND = 100

const TITLES = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']

/** The columns of `ps -ef`, read from /proc. Processes that end meanwhile are left out. Times are the host's local ones. */
export async function readProcessTable(pids: readonly number[], proc = '/proc', passwd = '/etc/passwd'): Promise<ProcessList> {
  const bootTime = Number(/^btime (\d+)$/m.exec(await readFile(`${proc}/stat`, 'utf8'))?.[1] ?? 0)
  const users = parseUsers(await readFile(passwd, 'utf8').catch(() => ''))
  const rows = await Promise.all(pids.map((pid) => readRow(proc, pid, bootTime, users)))
  return { titles: TITLES, processes: rows.filter((row) => row !== undefined) }
}

async function readRow(proc: string, pid: number, bootTime: number, users: ReadonlyMap<string, string>): Promise<string[] | undefined> {
  let stat: string
  let status: string
  let cmdline: string
  try {
    const read = (name: string): Promise<string> => readFile(`${proc}/${pid}/${name}`, 'utf8')
    ;[stat, status, cmdline] = await Promise.all([read('stat'), read('status'), read('cmdline')])
  } catch {
    return undefined
  }
  // The name in parentheses may hold blanks and parentheses itself: what follows is counted from its last one.
  const open = stat.indexOf('(')
  const close = stat.lastIndexOf(')')
  const values = stat.slice(close + 2).split(' ')
  /** Numbered as in proc_pid_stat(5), where the state is field 3. */
  const field = (number: number): number => Number(values[number - 3])
  const uid = /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? '0'
  const startedAt = bootTime + field(22) / TICKS_PER_SECOND
  const cpuSeconds = Math.trunc((field(14) + field(15)) / TICKS_PER_SECOND)
  const age = Math.max(1, Date.now() / 1000 - startedAt)
  return [
    users.get(uid) ?? uid,
    String(pid),
    String(field(4)),
    String(Math.min(99, Math.trunc((cpuSeconds * 100) / age))),
    startColumn(new Date(startedAt * 1000), new Date()),
    terminalName(field(7)),
    clock(cpuSeconds),
    cmdline === '' ? `[${stat.slice(open + 1, close)}]` : cmdline.replace(/\0+$/, '').replaceAll('\0', ' '),
  ]
}

function parseUsers(passwd: string): Map<string, string> {
  const users = new Map<string, string>()
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = ''] = line.split(':')
    if (name !== '' && !users.has(uid)) users.set(uid, name)
  }
  return users
}

/** `07:08` today, `May06` before. */
function startColumn(start: Date, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  if (start.toDateString() === now.toDateString()) return `${two(start.getHours())}:${two(start.getMinutes())}`
  return `${start.toLocaleString('en-US', { month: 'short' })}${two(start.getDate())}`
}

function clock(seconds: number): string {
  return [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0')).join(':')
}

/** Device number as in proc_pid_stat(5): minor in bits 31–20 and 7–0, major in 15–8. Unix98 terminals have the majors 136 to 143. */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`
  return '?'
}
