import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createFiles } from '#kernel'

/**
 * Everything about a tree that two ways of unpacking must agree on, one line for each node: type, mode, owner, time, size, device, link
 * target, hard-link group, content, extended attributes. Names are shown as latin1, so that any bytes compare.
 */
export function listTree(root: string, options: { times: boolean } = { times: true }): string[] {
  const files = createFiles()
  const lines: string[] = []
  const groups = new Map<bigint, string>()

  function visit(path: Buffer, shown: string): void {
    const stat = lstatSync(path, { bigint: true })
    const parts = [shown, (stat.mode & 0o177777n).toString(8), `${stat.uid}:${stat.gid}`]
    if (options.times) parts.push(`time=${stat.mtimeNs}`)
    if (stat.isFile()) parts.push(`size=${stat.size}`, createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16))
    if (stat.isFile() && stat.nlink > 1n) {
      const first = groups.get(stat.ino) ?? shown
      groups.set(stat.ino, first)
      parts.push(`same-as=${first}`)
    }
    if (stat.isSymbolicLink()) parts.push(`-> ${readlinkSync(path, 'latin1')}`)
    if (stat.isCharacterDevice() || stat.isBlockDevice()) parts.push(`device=${stat.rdev}`)
    for (const name of files.listXattr(path).sort()) parts.push(`${name}=${files.getXattr(path, name)?.toString('hex')}`)
    lines.push(parts.join(' '))
    if (!stat.isDirectory()) return
    for (const name of readdirSync(path, 'latin1').sort()) {
      visit(Buffer.concat([path, Buffer.from('/'), Buffer.from(name, 'latin1')]), `${shown}/${name}`)
    }
  }

  visit(Buffer.from(`${root}/.`), '') // the dot: a view's path is a link to it
  return lines
}

/** Runs a shell script in `directory`; throws with its words when it fails. */
export function shell(directory: string, script: string): string {
  const result = spawnSync('sh', ['-euc', script], { cwd: directory, encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${script}\n${result.stdout}${result.stderr}`)
  return result.stdout
}
