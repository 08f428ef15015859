import { readFileSync } from 'node:fs'
import { ETC_RESOLV_CONF, hostResolvConf, hostServers } from '../resolv-conf.ts'

/** The host may move to another network while containers run; looked at again after this many milliseconds. */
const FRESH = 5000

/** The servers of the host: those of /etc/resolv.conf, or those behind systemd-resolved's stub. None when there is no file. */
export function createHostServers(
  read: (path: string) => string = readText,
  now: () => number = () => performance.now(),
): () => readonly string[] {
  let servers: readonly string[] = []
  let until = -Infinity
  return () => {
    if (now() < until) return servers
    until = now() + FRESH
    const etc = read(ETC_RESOLV_CONF)
    const path = hostResolvConf(etc)
    servers = hostServers(path === ETC_RESOLV_CONF ? etc : read(path))
    return servers
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
