import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { Endpoint } from '#networks'
import type { Container } from '../types.ts'

/** A file that is larger was filled by the container, and stays as it is. */
const MAX_BYTES = 1 << 20

/** Names the container has at an endpoint's addresses, as lines of /etc/hosts. */
export function ownHosts({ config }: Pick<Container, 'config'>, endpoint: Endpoint): string[] {
  const { hostname, domainname } = config
  const names = domainname === '' ? hostname : `${hostname}.${domainname} ${hostname}`
  return [endpoint.ipv4Address, endpoint.ipv6Address].filter((address) => address !== '').map((address) => `${address}\t${names}`)
}

/** An interface more: its lines come last. */
export function addHosts(path: string, added: readonly string[]): void {
  changeHosts(path, (lines) => [...lines, ...added.filter((line) => !lines.includes(line))])
}

export function removeHosts(path: string, removed: readonly string[]): void {
  changeHosts(path, (lines) => lines.filter((line) => !removed.includes(line)))
}

/**
 * Changes lines of a running container's /etc/hosts. What the container wrote into it stays. The file is mounted into the container, so it is written in
 * place; no rename, which would leave the mount with the old one.
 */
export function changeHosts(path: string, change: (lines: string[]) => string[]): void {
  changeInPlace(path, (text) => {
    const body = text.endsWith('\n') ? text.slice(0, -1) : text
    return `${change(body.split('\n')).join('\n')}\n`
  })
}

/** Writes what `change` makes of a mounted file's text; a file that is not there, or too large, is left alone. */
export function changeInPlace(path: string, change: (text: string) => string): void {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  } catch {
    return
  }
  try {
    const { size } = fstatSync(fd)
    if (size > MAX_BYTES) return
    const bytes = Buffer.alloc(size)
    const text = bytes.toString('utf8', 0, readSync(fd, bytes, 0, size, 0))
    const changed = Buffer.from(change(text))
    if (changed.toString() === text) return
    // First the text, then the end: a reader in between sees lines twice rather than an empty file.
    writeSync(fd, changed, 0, changed.length, 0)
    ftruncateSync(fd, changed.length)
  } finally {
    closeSync(fd)
  }
}
