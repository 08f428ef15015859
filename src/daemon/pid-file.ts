import { mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Writes the daemon's pid to `path`; disposing removes the file. Throws when a live daemon is named there. A file left by a killed daemon
 * is taken over, also when its pid belongs to some other program by now.
 */
export function writePidFile(path: string, pid: number = process.pid): Disposable {
  const holder = readHolder(path)
  if (holder !== undefined && holder !== pid && isDaemon(holder)) {
    throw new Error(`process with PID ${holder} is still running: ensure gantry is not running or delete ${path}`)
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  writeFileSync(path, String(pid), { mode: 0o644 })
  return {
    [Symbol.dispose]: () => {
      if (readHolder(path) === pid) rmSync(path, { force: true })
    },
  }
}

function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim())
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

/** Runs the same program as we do, as a daemon. */
function isDaemon(pid: number): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/exe`) !== readlinkSync('/proc/self/exe')) return false
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .some((word) => word === 'daemon' || word === 'dockerd')
  } catch {
    return false
  }
}
